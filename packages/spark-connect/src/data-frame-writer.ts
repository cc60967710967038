import type { SparkConnectClient } from './client.ts'
import { sendCommand } from './command.ts'
import type { ExecuteOptions } from './execute.ts'
import { textsOf } from './option-texts.ts'
import {
  WriteOperation_SaveMode as SaveMode,
  WriteOperation_SaveTable_TableSaveMethod as TableSaveMethod,
} from './protocol/spark/connect/commands_pb.ts'
import type { Relation } from './relation.ts'

const MODES = {
  append: SaveMode.APPEND,
  overwrite: SaveMode.OVERWRITE,
  error: SaveMode.ERROR_IF_EXISTS,
  ignore: SaveMode.IGNORE,
} as const

interface WriterState {
  readonly format?: string
  readonly mode: keyof typeof MODES
  readonly partitionBy: readonly string[]
  readonly options: Readonly<Record<string, string>>
}

type Destination =
  | { case: 'path'; value: string }
  | { case: 'table'; value: { tableName: string; saveMethod: 1 | 2 } }
  | { case: undefined }

/** Says where rows go and how: `frame.write.format('delta').mode('append').save(path)`. */
export class DataFrameWriter {
  readonly #client: SparkConnectClient
  readonly #input: Relation
  readonly #state: WriterState

  constructor(
    client: SparkConnectClient,
    input: Relation,
    state: WriterState = { mode: 'error', partitionBy: [], options: {} },
  ) {
    this.#client = client
    this.#input = input
    this.#state = state
  }

  format(format: string): DataFrameWriter {
    return this.#with({ format })
  }

  /** What becomes of what is there already. Default `error`. */
  mode(mode: keyof typeof MODES): DataFrameWriter {
    return this.#with({ mode })
  }

  partitionBy(...columns: readonly string[]): DataFrameWriter {
    return this.#with({ partitionBy: columns })
  }

  option(name: string, value: string | number | boolean): DataFrameWriter {
    return this.options({ [name]: value })
  }

  options(options: Readonly<Record<string, string | number | boolean>>): DataFrameWriter {
    return this.#with({ options: { ...this.#state.options, ...textsOf(options) } })
  }

  /** To a path, or to where the options say. */
  async save(path?: string, options: ExecuteOptions = {}): Promise<void> {
    await this.#write(path === undefined ? { case: undefined } : { case: 'path', value: path }, options)
  }

  async saveAsTable(tableName: string, options: ExecuteOptions = {}): Promise<void> {
    await this.#write(
      { case: 'table', value: { tableName, saveMethod: TableSaveMethod.SAVE_AS_TABLE } },
      options,
    )
  }

  /** Into a table that exists, columns matched by position; mode `overwrite` replaces its rows. */
  async insertInto(tableName: string, options: ExecuteOptions = {}): Promise<void> {
    // A writer's own default would refuse every table, since each exists.
    const writer = this.#state.mode === 'error' ? this.mode('append') : this
    await writer.#write(
      { case: 'table', value: { tableName, saveMethod: TableSaveMethod.INSERT_INTO } },
      options,
    )
  }

  async #write(saveType: Destination, options: ExecuteOptions): Promise<void> {
    const { format, mode, partitionBy } = this.#state
    const value = {
      input: this.#input,
      saveType,
      mode: MODES[mode],
      partitioningColumns: [...partitionBy],
      options: this.#state.options,
      ...(format === undefined ? {} : { source: format }),
    }
    await sendCommand(this.#client, { case: 'writeOperation', value }, options)
  }

  #with(change: Partial<WriterState>): DataFrameWriter {
    return new DataFrameWriter(this.#client, this.#input, { ...this.#state, ...change })
  }
}
