import type { Settings } from '../config/settings.ts'
import { type ProcessTask, runInProcess, type TaskMessage } from '../process-task.ts'
import type { EvaluationReport } from './evaluation-report.ts'
import type { EvaluationQuestion } from './question.ts'

/** What the process is asked: its first message. */
export interface EvaluationOrder {
  readonly settings: Settings
  readonly question: EvaluationQuestion
  readonly runId: string
}

/** What the process says. */
export type EvaluationMessage = TaskMessage<EvaluationReport>

/** `runEvaluation` in a process of its own, of lower priority than a server's. Throws what it throws. */
export function evaluateInProcess(
  options: Omit<ProcessTask<EvaluationOrder>, 'name'>,
): Promise<EvaluationReport> {
  return runInProcess({ ...options, name: 'Evaluation' })
}
