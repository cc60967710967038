import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Settings } from '../config/settings.ts'
import { ArusError, type ErrorCode } from '../errors.ts'
import type { OnProgress, ProgressReport } from '../progress.ts'
import type { TrainingReport } from './train.ts'

/** What the worker says. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly report: ProgressReport }
  | { readonly kind: 'done'; readonly report: TrainingReport }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

export interface TrainInWorkerOptions {
  /** The worker's entry: it opens parts of its own from the settings. */
  readonly entry: URL
  readonly settings: Settings
  readonly force: boolean
  readonly onProgress: OnProgress
  readonly signal: AbortSignal
}

/** `train` on a thread of its own, so that the server goes on answering. Throws what `train` throws. */
export async function trainInWorker({
  entry,
  settings,
  force,
  onProgress,
  signal,
}: TrainInWorkerOptions): Promise<TrainingReport> {
  const worker = new Worker(entry, { workerData: { settings, force } })
  const stop = () => void worker.terminate()
  signal.addEventListener('abort', stop, { once: true })
  const outcome = Promise.withResolvers<TrainingReport>()
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'progress') onProgress(message.report)
    if (message.kind === 'done') outcome.resolve(message.report)
    if (message.kind === 'failed') outcome.reject(new ArusError(message.code, message.message))
  })
  worker.on('error', (error) => outcome.reject(error))
  worker.on('exit', () =>
    outcome.reject(
      signal.aborted
        ? signal.reason
        : new ArusError('INTERNAL', 'The training thread ended without a result'),
    ),
  )
  try {
    return await outcome.promise
  } finally {
    signal.removeEventListener('abort', stop)
    // Its parts are closed by then; ending is a formality that may already be over.
    if (worker.threadId !== -1) await Promise.race([once(worker, 'exit'), worker.terminate()])
  }
}
