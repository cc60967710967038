import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SparkConnectClient } from './client.ts'
import { askCommand } from './command.ts'
import { SparkError } from './errors.ts'
import type { ExecuteOptions } from './execute.ts'
import type {
  StreamingQueryCommandResult,
  StreamingQueryCommandSchema,
} from './protocol/spark/connect/commands_pb.ts'
import type { StreamingQueryProgress } from './streaming-progress.ts'

type Command = NonNullable<MessageInitShape<typeof StreamingQueryCommandSchema>['command']>
type Result<K> = Extract<StreamingQueryCommandResult['resultType'], { case: K }>['value']

export interface StreamingQueryStatus {
  readonly message: string
  readonly isDataAvailable: boolean
  readonly isTriggerActive: boolean
}

/** How long the server waits before it answers that a query still runs; then it is asked again. */
const AWAIT_MS = 5_000

/** A stream that the server processes. It runs until it is stopped, fails, or has done what its trigger asked. */
export class StreamingQuery {
  readonly #client: SparkConnectClient
  /** Stays the same when the query is started again from its checkpoint. */
  readonly id: string
  /** Of this run alone. */
  readonly runId: string
  readonly name: string | undefined

  constructor(
    client: SparkConnectClient,
    { id, runId }: { readonly id: string; readonly runId: string },
    name?: string,
  ) {
    this.#client = client
    this.id = id
    this.runId = runId
    this.name = name
  }

  async status(options: ExecuteOptions = {}): Promise<StreamingQueryStatus> {
    const result = await this.#ask({ case: 'status', value: true }, 'status', options)
    const { statusMessage: message, isDataAvailable, isTriggerActive } = result
    return { message, isDataAvailable, isTriggerActive }
  }

  async isActive(options: ExecuteOptions = {}): Promise<boolean> {
    return (await this.#ask({ case: 'status', value: true }, 'status', options)).isActive
  }

  /** The newest batches that were processed, the oldest first; the server keeps 100 (`spark.sql.streaming.numRecentProgressUpdates`). */
  async recentProgress(options: ExecuteOptions = {}): Promise<readonly StreamingQueryProgress[]> {
    return this.#progress({ case: 'recentProgress', value: true }, options)
  }

  /** The newest batch that was processed; null before the first. */
  async lastProgress(options: ExecuteOptions = {}): Promise<StreamingQueryProgress | null> {
    return (await this.#progress({ case: 'lastProgress', value: true }, options))[0] ?? null
  }

  /** Resolves when the query has stopped. */
  async stop(options: ExecuteOptions = {}): Promise<void> {
    await this.#send({ case: 'stop', value: true }, options)
  }

  /** Resolves when all rows that were there at the call are processed; for tests. */
  async processAllAvailable(options: ExecuteOptions = {}): Promise<void> {
    await this.#send({ case: 'processAllAvailable', value: true }, options)
  }

  /**
   * Resolves with true when the query has ended by itself or was stopped, with false when the time is over. Throws the
   * error it failed with. Aborting the signal ends the wait, not the query.
   */
  async awaitTermination(options: ExecuteOptions & { readonly timeoutMs?: number } = {}): Promise<boolean> {
    const { timeoutMs = Number.POSITIVE_INFINITY, ...rest } = options
    const endsAt = performance.now() + timeoutMs
    for (;;) {
      const leftMs = Math.max(0, endsAt - performance.now())
      const value = { timeoutMs: BigInt(Math.ceil(Math.min(AWAIT_MS, leftMs)) || 1) }
      const result = await this.#ask({ case: 'awaitTermination', value }, 'awaitTermination', rest)
      if (result.terminated) return true
      if (performance.now() >= endsAt) return false
    }
  }

  /** What the query failed with; null when it did not. */
  async exception(options: ExecuteOptions = {}): Promise<SparkError | null> {
    const result = await this.#send({ case: 'exception', value: true }, options)
    if (result?.resultType.case !== 'exception') return null
    const { exceptionMessage, errorClass } = result.resultType.value
    return exceptionMessage === undefined
      ? null
      : new SparkError('SPARK_FAILED', exceptionMessage, { errorClass })
  }

  async #progress(command: Command, options: ExecuteOptions): Promise<readonly StreamingQueryProgress[]> {
    const { recentProgressJson } = await this.#ask(command, 'recentProgress', options)
    return recentProgressJson.map((json) => JSON.parse(json) as StreamingQueryProgress)
  }

  async #ask<K extends NonNullable<StreamingQueryCommandResult['resultType']['case']>>(
    command: Command,
    answer: K,
    options: ExecuteOptions,
  ): Promise<Result<K>> {
    const result = await this.#send(command, options)
    if (result?.resultType.case === answer) return result.resultType.value as Result<K>
    throw new SparkError(
      'SPARK_PROTOCOL',
      `Asked a stream for ${command.case}, the server answered ${result?.resultType.case}`,
    )
  }

  async #send(command: Command, options: ExecuteOptions): Promise<StreamingQueryCommandResult | undefined> {
    const value = { queryId: { id: this.id, runId: this.runId }, command }
    return askCommand(this.#client, {
      command: { case: 'streamingQueryCommand', value },
      answer: 'streamingQueryCommandResult',
      options,
    })
  }
}
