import type { FileParts, Interactions, ItemFeatures } from '@arus/recommenders'
import { type FitOptions, fitsOf } from './model-fits.ts'
import type { SessionLog } from './read-sessions.ts'
import { type FoundSessions, findSessionModel } from './train-sessions.ts'

/** Work that needs nothing from the rest of a training but what is told here, as plain data that a thread can be given. */
export type TrainingTask = FitTask | SessionTask

/** Algorithms to fit. */
export interface FitTask {
  readonly kind: 'fit'
  readonly interactions: Interactions
  readonly features: ItemFeatures
  readonly options: FitOptions
  /** Of `fitsOf`. */
  readonly wanted: readonly string[]
}

/** See `findSessionModel`. */
export interface SessionTask {
  readonly kind: 'sessions'
  readonly log: SessionLog
  readonly cutMs: number
}

/** Files of models by algorithm, and what `findSessionModel` found. */
export type TaskResult<Task extends TrainingTask> = Task extends FitTask
  ? ReadonlyMap<string, FileParts>
  : FoundSessions | null

/** Does a task here and now. */
export function runTask<Task extends TrainingTask>(task: Task, signal: AbortSignal): TaskResult<Task>
export function runTask(task: TrainingTask, signal: AbortSignal): TaskResult<TrainingTask> {
  return task.kind === 'fit' ? fitted(task, signal) : findSessionModel(task.log, task.cutMs, signal)
}

function fitted({ interactions, features, options, wanted }: FitTask, signal: AbortSignal) {
  const files = new Map<string, FileParts>()
  for (const [kind, fit] of fitsOf({ features }, options, signal))
    if (wanted.includes(kind)) files.set(kind, fit(interactions).file())
  return files
}
