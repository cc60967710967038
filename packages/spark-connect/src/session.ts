import type { RecordBatch } from 'apache-arrow'
import { bindParameters } from './bind-parameters.ts'
import type { SparkConnectClient } from './client.ts'
import { askCommand } from './command.ts'
import { DataFrame } from './data-frame.ts'
import { DataFrameReader } from './data-frame-reader.ts'
import { SparkError } from './errors.ts'
import type { ExecuteOptions } from './execute.ts'
import { type Expression, expressionOf, type SqlParameters } from './literal.ts'
import { localRelation } from './local-relation.ts'
import { Ml } from './ml.ts'
import { InterruptRequest_InterruptType as InterruptType } from './protocol/spark/connect/base_pb.ts'
import { RuntimeConfig } from './runtime-config.ts'
import type { StructType } from './schema.ts'
import { StreamingQueryManager } from './streaming-query-manager.ts'

type SqlInput = { query: string; posArguments?: Expression[]; namedArguments?: Record<string, Expression> }

const STOP_TIMEOUT_MS = 10_000

/** A session on a server: settings, temporary views, models, and the queries that run. Made by `connect`. */
export class SparkSession implements AsyncDisposable {
  /** Calls of the protocol, for what this library has no name for. */
  readonly client: SparkConnectClient
  readonly conf: RuntimeConfig
  readonly streams: StreamingQueryManager
  readonly ml: Ml
  /** The server does not bind parameters: its Delta or Iceberg loses them. */
  #bindsParameters = false

  constructor(client: SparkConnectClient) {
    this.client = client
    this.conf = new RuntimeConfig(client)
    this.streams = new StreamingQueryManager(client)
    this.ml = new Ml(client)
  }

  /** A UUID; `session_id` of a connection string goes on with it. */
  get id(): string {
    return this.client.sessionId
  }

  /** The server's, for example `4.2.1`. */
  async version(options: { readonly signal?: AbortSignal } = {}): Promise<string> {
    return (await this.client.analyze({ case: 'sparkVersion', value: {} }, options)).version
  }

  /**
   * A statement, with parameters by position for `?` or by name for `:name`. A command (CREATE, INSERT, MERGE, …) is
   * carried out now, once, and the frame holds what it answered; a query is checked now and run when its rows are asked for.
   */
  async sql(text: string, parameters: SqlParameters = [], options: ExecuteOptions = {}): Promise<DataFrame> {
    if (this.#bindsParameters) return this.#sql({ query: bindParameters(text, parameters) }, options)
    try {
      return await this.#sql({ query: text, ...argumentsOf(parameters) }, options)
    } catch (error) {
      const bound = bindParameters(text, parameters)
      if (!(error instanceof SparkError) || error.errorClass !== 'UNBOUND_SQL_PARAMETER' || bound === text)
        throw error
      const frame = await this.#sql({ query: bound }, options)
      this.#bindsParameters = true
      return frame
    }
  }

  /** A table of the catalog, a view, or a path as `` delta.`/path` ``. */
  table(name: string): DataFrame {
    return this.read.table(name)
  }

  get read(): DataFrameReader {
    return new DataFrameReader(this.client, false)
  }

  /** Reads as a stream. */
  get readStream(): DataFrameReader {
    return new DataFrameReader(this.client, true)
  }

  /** The whole numbers from `start` to before `end`, in a column `id`. */
  range(
    start: number | bigint,
    end: number | bigint,
    options: { readonly step?: number | bigint; readonly partitionCount?: number } = {},
  ): DataFrame {
    const { step = 1, partitionCount } = options
    const parts = partitionCount === undefined ? {} : { numPartitions: partitionCount }
    const value = { start: BigInt(start), end: BigInt(end), step: BigInt(step), ...parts }
    return new DataFrame(this.client, { relType: { case: 'range', value } })
  }

  /**
   * Rows of this program as a frame. The schema of objects is DDL (`'id BIGINT, name STRING'`) or a struct; a batch of
   * Arrow has its own, and is cast when one is given.
   */
  async createDataFrame(
    rows: readonly Readonly<Record<string, unknown>>[],
    schema: string | StructType,
    options?: { readonly signal?: AbortSignal },
  ): Promise<DataFrame>
  async createDataFrame(
    batch: RecordBatch,
    schema?: string | StructType,
    options?: { readonly signal?: AbortSignal },
  ): Promise<DataFrame>
  async createDataFrame(
    rows: readonly Readonly<Record<string, unknown>>[] | RecordBatch,
    schema?: string | StructType,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<DataFrame> {
    return new DataFrame(
      this.client,
      await localRelation(this.client, rows, { schema, signal: options.signal }),
    )
  }

  /** Ends all operations of this session; returns the ids of those that ran. */
  async interruptAll(): Promise<readonly string[]> {
    return this.#interrupt({ interruptType: InterruptType.ALL })
  }

  /** Ends the operations that carry a tag. */
  async interruptTag(tag: string): Promise<readonly string[]> {
    return this.#interrupt({
      interruptType: InterruptType.TAG,
      interrupt: { case: 'operationTag', value: tag },
    })
  }

  /** Ends an operation, by the id the server's pages and logs show. */
  async interruptOperation(operationId: string): Promise<readonly string[]> {
    const interrupt = { case: 'operationId' as const, value: operationId }
    return this.#interrupt({ interruptType: InterruptType.OPERATION_ID, interrupt })
  }

  /** Closes the connection. The session stays on the server, for whoever goes on with it, until the server's time is up. */
  close(): void {
    this.client.close()
  }

  /** Ends the session on the server, with its views, models and operations, and closes the connection. Twice is no error. */
  async stop(): Promise<void> {
    const { sessionId, userContext, clientType } = this.client.context
    const request = { sessionId, userContext, clientType }
    // A server that is gone has no session left to end.
    await this.client.stub.releaseSession(request, { timeoutMs: STOP_TIMEOUT_MS }).catch(() => {})
    this.client.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #sql(value: SqlInput, options: ExecuteOptions): Promise<DataFrame> {
    const input = { relType: { case: 'sql' as const, value } }
    const command = { case: 'sqlCommand' as const, value: { input } }
    const result = await askCommand(this.client, { command, answer: 'sqlCommandResult', options })
    return new DataFrame(this.client, result?.relation ?? input)
  }

  async #interrupt(
    what:
      | { interruptType: 1 }
      | { interruptType: 2; interrupt: { case: 'operationTag'; value: string } }
      | { interruptType: 3; interrupt: { case: 'operationId'; value: string } },
  ): Promise<readonly string[]> {
    const { stub } = this.client
    const response = await this.client.call((call) =>
      stub.interrupt({ ...this.client.context, ...what }, call),
    )
    return response.interruptedIds
  }
}

function argumentsOf(parameters: SqlParameters): Partial<SqlInput> {
  if (Array.isArray(parameters)) return { posArguments: parameters.map((value) => expressionOf(value)) }
  const named = Object.entries(parameters).map(([name, value]) => [name, expressionOf(value)] as const)
  return { namedArguments: Object.fromEntries(named) }
}
