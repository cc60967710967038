import type { SparkConnectClient } from './client.ts'
import { askCommand } from './command.ts'
import { SparkError } from './errors.ts'
import type { ExecuteOptions } from './execute.ts'
import { textsOf } from './option-texts.ts'
import type { Relation } from './relation.ts'
import { StreamingQuery } from './streaming-query.ts'

/**
 * When a stream looks for new rows: `availableNow` takes all there are, in batches, and ends; `once` in one batch;
 * `processingTime` goes on, with this interval at least between batches (`10 seconds`).
 */
export type Trigger =
  | { readonly availableNow: true }
  | { readonly once: true }
  | { readonly processingTime: string }

interface WriterState {
  readonly format: string
  readonly outputMode: 'append' | 'update' | 'complete'
  readonly queryName: string
  readonly partitionBy: readonly string[]
  readonly options: Readonly<Record<string, string>>
  readonly trigger: Trigger | undefined
}

const NOTHING: WriterState = {
  format: '',
  outputMode: 'append',
  queryName: '',
  partitionBy: [],
  options: {},
  trigger: undefined,
}

/** Says where the rows of a stream go and when: `frame.writeStream.format('delta').option('checkpointLocation', c).start(path)`. */
export class DataStreamWriter {
  readonly #client: SparkConnectClient
  readonly #input: Relation
  readonly #state: WriterState

  constructor(client: SparkConnectClient, input: Relation, state: WriterState = NOTHING) {
    this.#client = client
    this.#input = input
    this.#state = state
  }

  format(format: string): DataStreamWriter {
    return this.#with({ format })
  }

  /** Default `append`. */
  outputMode(outputMode: WriterState['outputMode']): DataStreamWriter {
    return this.#with({ outputMode })
  }

  queryName(queryName: string): DataStreamWriter {
    return this.#with({ queryName })
  }

  partitionBy(...columns: readonly string[]): DataStreamWriter {
    return this.#with({ partitionBy: columns })
  }

  /** `checkpointLocation` is where the query keeps how far it is: start it again with the same, and it goes on there. */
  option(name: string, value: string | number | boolean): DataStreamWriter {
    return this.options({ [name]: value })
  }

  options(options: Readonly<Record<string, string | number | boolean>>): DataStreamWriter {
    return this.#with({ options: { ...this.#state.options, ...textsOf(options) } })
  }

  trigger(trigger: Trigger): DataStreamWriter {
    return this.#with({ trigger })
  }

  /** Starts the query on the server, where it runs on without this client. */
  async start(path?: string, options: ExecuteOptions = {}): Promise<StreamingQuery> {
    return this.#start(path === undefined ? { case: undefined } : { case: 'path', value: path }, options)
  }

  async toTable(tableName: string, options: ExecuteOptions = {}): Promise<StreamingQuery> {
    return this.#start({ case: 'tableName', value: tableName }, options)
  }

  async #start(
    sinkDestination: { case: 'path' | 'tableName'; value: string } | { case: undefined },
    options: ExecuteOptions,
  ): Promise<StreamingQuery> {
    const { format, outputMode, queryName, partitionBy, trigger } = this.#state
    const value = {
      input: this.#input,
      format,
      outputMode,
      queryName,
      partitioningColumnNames: [...partitionBy],
      options: this.#state.options,
      trigger: triggerOf(trigger),
      sinkDestination: sinkDestination as { case: 'path'; value: string },
    }
    const started = await askCommand(this.#client, {
      command: { case: 'writeStreamOperationStart', value },
      answer: 'writeStreamOperationStartResult',
      options,
    })
    if (started?.queryId !== undefined)
      return new StreamingQuery(this.#client, started.queryId, started.name || undefined)
    throw new SparkError('SPARK_PROTOCOL', 'The server started a stream and did not say which')
  }

  #with(change: Partial<WriterState>): DataStreamWriter {
    return new DataStreamWriter(this.#client, this.#input, { ...this.#state, ...change })
  }
}

function triggerOf(trigger: Trigger | undefined) {
  if (trigger === undefined) return { case: undefined }
  if ('processingTime' in trigger)
    return { case: 'processingTimeInterval' as const, value: trigger.processingTime }
  return { case: 'once' in trigger ? ('once' as const) : ('availableNow' as const), value: true }
}
