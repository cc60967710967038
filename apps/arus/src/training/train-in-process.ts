import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Settings } from '../config/settings.ts'
import { ArusError, type ErrorCode } from '../errors.ts'
import type { OnProgress, ProgressReport } from '../progress.ts'
import type { TrainingReport } from './train.ts'

/** What the process is asked to do: its first message. */
export interface TrainingOrder {
  readonly settings: Settings
  readonly force: boolean
  readonly trialsMax: number
}

/** What the process says. */
export type TrainingMessage =
  | { readonly kind: 'progress'; readonly report: ProgressReport }
  | { readonly kind: 'done'; readonly report: TrainingReport }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

export interface TrainInProcessOptions extends TrainingOrder {
  /** The module the process runs: it opens parts of its own from the settings. */
  readonly entry: string
  readonly onProgress: OnProgress
  readonly signal: AbortSignal
}

/**
 * `train` in a process of its own: the server goes on answering, and gets the memory back. Throws what `train` throws.
 */
export async function trainInProcess(options: TrainInProcessOptions): Promise<TrainingReport> {
  const { entry, settings, force, trialsMax, onProgress, signal } = options
  const child = fork(entry, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  const outcome = Promise.withResolvers<TrainingReport>()
  child.on('message', (message: TrainingMessage) => {
    if (message.kind === 'progress') onProgress(message.report)
    if (message.kind === 'done') outcome.resolve(message.report)
    if (message.kind === 'failed') outcome.reject(new ArusError(message.code, message.message))
  })
  child.on('error', (error) => outcome.reject(error))
  const ended = once(child, 'exit')
  void ended.then(() => {
    outcome.reject(
      signal.aborted ? signal.reason : new ArusError('INTERNAL', 'Training ended without a result'),
    )
  })
  child.send({ settings, force, trialsMax } satisfies TrainingOrder)
  try {
    return await outcome.promise
  } finally {
    signal.removeEventListener('abort', stop)
    await ended
  }
}
