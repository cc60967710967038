import type { SparkConnectClient } from './client.ts'
import { DataFrame } from './data-frame.ts'
import { textsOf } from './option-texts.ts'
import type { StructType } from './schema.ts'

interface ReaderState {
  readonly format?: string
  readonly schema?: string
  readonly options: Readonly<Record<string, string>>
}

/** Says what to read and how: `session.read.format('delta').option('versionAsOf', 3).load(path)`. */
export class DataFrameReader {
  readonly #client: SparkConnectClient
  readonly #isStreaming: boolean
  readonly #state: ReaderState

  constructor(client: SparkConnectClient, isStreaming: boolean, state: ReaderState = { options: {} }) {
    this.#client = client
    this.#isStreaming = isStreaming
    this.#state = state
  }

  /** `delta`, `parquet`, `csv`, `json`, `kafka`, `rate`, … */
  format(format: string): DataFrameReader {
    return this.#with({ format })
  }

  /** As SQL's DDL (`id BIGINT, name STRING`) or as a struct. */
  schema(schema: string | StructType): DataFrameReader {
    return this.#with({ schema: typeof schema === 'string' ? schema : JSON.stringify(schema) })
  }

  option(name: string, value: string | number | boolean): DataFrameReader {
    return this.options({ [name]: value })
  }

  options(options: Readonly<Record<string, string | number | boolean>>): DataFrameReader {
    return this.#with({ options: { ...this.#state.options, ...textsOf(options) } })
  }

  load(...paths: readonly string[]): DataFrame {
    const { format, schema, options } = this.#state
    const value = {
      paths: [...paths],
      options,
      ...(format === undefined ? {} : { format }),
      ...(schema === undefined ? {} : { schema }),
    }
    return this.#read({ case: 'dataSource', value })
  }

  /** A table of the catalog, or a path as `` delta.`/path` ``. */
  table(name: string): DataFrame {
    return this.#read({
      case: 'namedTable',
      value: { unparsedIdentifier: name, options: this.#state.options },
    })
  }

  #read(
    readType:
      | {
          case: 'dataSource'
          value: { paths: string[]; options: Record<string, string>; format?: string; schema?: string }
        }
      | { case: 'namedTable'; value: { unparsedIdentifier: string; options: Record<string, string> } },
  ): DataFrame {
    const value = { readType, isStreaming: this.#isStreaming }
    return new DataFrame(this.#client, { relType: { case: 'read', value } })
  }

  #with(change: Partial<ReaderState>): DataFrameReader {
    return new DataFrameReader(this.#client, this.#isStreaming, { ...this.#state, ...change })
  }
}
