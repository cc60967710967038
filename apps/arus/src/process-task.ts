import { fork } from 'node:child_process'
import { once } from 'node:events'
import { ArusError, type ErrorCode } from './errors.ts'
import type { OnProgress, ProgressReport } from './progress.ts'

/** What a process that was given a task says. */
export type TaskMessage<Report> =
  | { readonly kind: 'progress'; readonly report: ProgressReport }
  | { readonly kind: 'done'; readonly report: Report }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

export interface ProcessTask<Order> {
  /** The module the process runs: it takes the order as its first message, and opens parts of its own. */
  readonly entry: string
  /** Plain data. */
  readonly order: Order
  /** What is done, for a person: "Training". */
  readonly name: string
  readonly onProgress: OnProgress
  /** Ends the process. */
  readonly signal: AbortSignal
}

/**
 * Long work in a process of its own: whoever waits goes on answering, and gets the memory back. Throws what the work throws, and
 * the signal's reason once the process is gone.
 */
export async function runInProcess<Order, Report>(task: ProcessTask<Order>): Promise<Report> {
  const { entry, order, name, onProgress, signal } = task
  signal.throwIfAborted()
  const child = fork(entry, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  const outcome = Promise.withResolvers<Report>()
  child.on('message', (message: TaskMessage<Report>) => {
    if (message.kind === 'progress') onProgress(message.report)
    if (message.kind === 'done') outcome.resolve(message.report)
    if (message.kind === 'failed') outcome.reject(new ArusError(message.code, message.message))
  })
  child.on('error', (error) => outcome.reject(error))
  const ended = once(child, 'exit')
  void ended.then(() => {
    outcome.reject(
      signal.aborted ? signal.reason : new ArusError('INTERNAL', `${name} ended without a result`),
    )
  })
  child.send(order as object)
  try {
    return await outcome.promise
  } finally {
    signal.removeEventListener('abort', stop)
    await ended
  }
}
