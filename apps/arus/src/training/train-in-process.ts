import type { Settings } from '../config/settings.ts'
import { type ProcessTask, runInProcess, type TaskMessage } from '../process-task.ts'
import type { TrainingReport } from './train.ts'

/** What the process is asked to do: its first message. */
export interface TrainingOrder {
  readonly settings: Settings
  readonly force: boolean
  readonly trialsMax?: number
}

/** What the process says. */
export type TrainingMessage = TaskMessage<TrainingReport>

export type TrainInProcessOptions = Omit<ProcessTask<TrainingOrder>, 'name'>

/** `train` in a process of its own. Throws what `train` throws. */
export function trainInProcess(options: TrainInProcessOptions): Promise<TrainingReport> {
  return runInProcess({ ...options, name: 'Training' })
}
