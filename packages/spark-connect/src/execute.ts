import { randomUUID } from 'node:crypto'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SparkConnectClient } from './client.ts'
import { SparkError } from './errors.ts'
import {
  type ExecutePlanResponse,
  InterruptRequest_InterruptType as InterruptType,
  type PlanSchema,
} from './protocol/spark/connect/base_pb.ts'
import { isOperationKnown, isOperationUnknown } from './server-error.ts'

export type Plan = MessageInitShape<typeof PlanSchema>

/** How far the server is with an operation. */
export interface ExecutionProgress {
  readonly taskCount: number
  readonly completedTaskCount: number
  readonly inflightTaskCount: number
  readonly inputBytesRead: number
}

/** What an operation takes besides what it does. */
export interface ExecuteOptions {
  /** Aborting interrupts the operation on the server; the call then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Names under which `session.interruptTag` finds the operation; no commas. */
  readonly tags?: readonly string[]
  /** Called every two seconds or so while the operation runs (`spark.connect.progress.reportInterval`). */
  readonly onProgress?: (progress: ExecutionProgress) => void
}

/** So that a server that ends each stream at once is not asked without a pause. */
const EMPTY_STREAM_PAUSE_MS = 200
/** How long the end of an operation may wait for a server that does not answer. */
const END_TIMEOUT_MS = 5_000

/**
 * Runs a plan and yields what the server answers, each answer once and in order, to the end. An operation outlives the
 * connection: when that breaks, or the server ends a long answer early, this goes on behind the last answer that came.
 * The next answer is taken from the connection when it is asked for, so a slow reader holds the server back.
 * Whoever stops early, or aborts, ends the operation on the server.
 */
export async function* execute(
  client: SparkConnectClient,
  plan: Plan,
  options: ExecuteOptions = {},
): AsyncGenerator<ExecutePlanResponse, void, undefined> {
  client.assertOpen()
  options.signal?.throwIfAborted()
  const operation = new Operation(client, plan, options)
  let isComplete = false
  try {
    for await (const response of operation.responses()) {
      const { responseType } = response
      if (responseType.case === 'executionProgress') options.onProgress?.(progressOf(responseType.value))
      else if (responseType.case === 'resultComplete') isComplete = true
      else yield response
    }
  } finally {
    await operation.end(isComplete)
  }
}

class Operation {
  readonly #client: SparkConnectClient
  readonly #plan: Plan
  readonly #options: ExecuteOptions
  readonly #id = randomUUID()
  #lastResponseId: string | undefined
  /** The server may know the operation: attach to it instead of starting it. */
  #isStarted = false
  #isReleasing = false
  /** Ends the stream under way when the reader leaves; the reader's own signal does so too. */
  readonly #left = new AbortController()
  readonly #signal: AbortSignal

  constructor(client: SparkConnectClient, plan: Plan, options: ExecuteOptions) {
    this.#client = client
    this.#plan = plan
    this.#options = options
    const { signal } = options
    this.#signal = signal === undefined ? this.#left.signal : AbortSignal.any([this.#left.signal, signal])
  }

  async *responses(): AsyncGenerator<ExecutePlanResponse> {
    let attempt = 0
    for (;;) {
      let isEmpty = true
      try {
        for await (const response of this.#open()) {
          this.#client.observe(response)
          this.#isStarted = true
          this.#lastResponseId = response.responseId
          isEmpty = false
          attempt = 0
          yield response
          if (response.responseType.case === 'resultComplete') return
          void this.#releaseUntil(response.responseId)
        }
        // The server ended the stream before the answer's end: attach again for the rest.
        this.#isStarted = true
        if (isEmpty) await this.#client.pause(EMPTY_STREAM_PAUSE_MS, this.#options.signal)
      } catch (error) {
        this.#options.signal?.throwIfAborted()
        await this.#recover(error, ++attempt)
      }
    }
  }

  #open(): AsyncIterable<ExecutePlanResponse> {
    const { stub, context } = this.#client
    const call = { signal: this.#signal }
    if (this.#isStarted) {
      const lastResponseId = this.#lastResponseId
      const from = lastResponseId === undefined ? {} : { lastResponseId }
      return stub.reattachExecute({ ...context, operationId: this.#id, ...from }, call)
    }
    const requestOptions = [
      { requestOption: { case: 'reattachOptions' as const, value: { reattachable: true } } },
      {
        requestOption: { case: 'resultChunkingOptions' as const, value: { allowArrowBatchChunking: true } },
      },
    ]
    const tags = [...(this.#options.tags ?? [])]
    return stub.executePlan(
      { ...context, operationId: this.#id, plan: this.#plan, requestOptions, tags },
      call,
    )
  }

  /** Decides how to go on after an error; throws when that is not possible. */
  async #recover(error: unknown, attempt: number): Promise<void> {
    if (attempt > this.#client.retry.maxRetries + 1) throw await this.#client.errorOf(error)
    if (this.#isStarted && isOperationUnknown(error)) {
      if (this.#lastResponseId !== undefined) {
        const message = 'The connection broke, and the server no longer knows the operation'
        throw new SparkError('SPARK_OPERATION_LOST', message, { cause: await this.#client.errorOf(error) })
      }
      // It never arrived.
      this.#isStarted = false
      return
    }
    if (!this.#isStarted && isOperationKnown(error)) {
      this.#isStarted = true
      return
    }
    await this.#client.pauseBeforeRetry(error, { attempt, signal: this.#options.signal })
    // The request may have arrived although its answer did not.
    this.#isStarted = true
  }

  /** Lets the server forget the operation; one that is not complete it ends first. */
  async end(isComplete: boolean): Promise<void> {
    this.#left.abort()
    if (isComplete) {
      void this.#release({ releaseAll: true })
      return
    }
    if (this.#options.signal?.aborted) await this.#interrupt()
    await this.#release({ releaseAll: true })
  }

  async #interrupt(): Promise<void> {
    const { stub, context } = this.#client
    const interrupt = { case: 'operationId' as const, value: this.#id }
    const request = { ...context, interruptType: InterruptType.OPERATION_ID, interrupt }
    // Nothing is lost if it fails: the server ends operations whose client is gone.
    await stub.interrupt(request, { timeoutMs: END_TIMEOUT_MS }).catch(() => {})
  }

  /** Frees what the server keeps of answers that came through. One at a time: the next one frees what this one did not. */
  async #releaseUntil(responseId: string): Promise<void> {
    if (this.#isReleasing) return
    this.#isReleasing = true
    await this.#release({ responseId })
    this.#isReleasing = false
  }

  async #release(what: { readonly releaseAll: true } | { readonly responseId: string }): Promise<void> {
    const { stub, context } = this.#client
    const release =
      'releaseAll' in what
        ? { case: 'releaseAll' as const, value: {} }
        : { case: 'releaseUntil' as const, value: what }
    // Nothing is lost if it fails: the server forgets by itself, later.
    await stub
      .releaseExecute({ ...context, operationId: this.#id, release }, { timeoutMs: END_TIMEOUT_MS })
      .catch(() => {})
  }
}

function progressOf(progress: {
  readonly stages: readonly { numTasks: bigint; numCompletedTasks: bigint; inputBytesRead: bigint }[]
  readonly numInflightTasks: bigint
}): ExecutionProgress {
  const sum = (pick: (stage: (typeof progress.stages)[number]) => bigint) =>
    progress.stages.reduce((total, stage) => total + Number(pick(stage)), 0)
  return {
    taskCount: sum((stage) => stage.numTasks),
    completedTaskCount: sum((stage) => stage.numCompletedTasks),
    inflightTaskCount: Number(progress.numInflightTasks),
    inputBytesRead: sum((stage) => stage.inputBytesRead),
  }
}
