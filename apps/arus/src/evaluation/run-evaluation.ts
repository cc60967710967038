import { ArusError } from '../errors.ts'
import { conclude } from './conclude.ts'
import type { EvaluationReport } from './evaluation-report.ts'
import { cpuSecondsSince } from './measured-model.ts'
import type { PreparedEvaluation } from './prepare-evaluation.ts'

export interface RunOptions {
  readonly k: number
  readonly runId: string
  readonly evaluatedAtMs: number
}

/** Searches, fits and measures; long, and all in one go: it belongs into a process of its own. Throws `TRAINING_NO_DATA` where nobody is left to ask. */
export function runEvaluation(prepared: PreparedEvaluation, options: RunOptions): EvaluationReport {
  const before = process.cpuUsage()
  const { measured, leftOut, serving, ...conclusion } = prepared.measure()
  const userCount = measured[0]?.userCount ?? 0
  if (userCount === 0) throw new ArusError('TRAINING_NO_DATA', nobodyOf(prepared, leftOut))
  return {
    run_id: options.runId,
    evaluated_at: options.evaluatedAtMs,
    data: prepared.data,
    data_version: prepared.dataVersion,
    split: prepared.split,
    k: options.k,
    metric: conclusion.metric,
    user_count: userCount,
    ...conclude(measured, conclusion),
    left_out: leftOut,
    serving,
    cpu_seconds: cpuSecondsSince(before),
    peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
  }
}

function nobodyOf({ data, split }: PreparedEvaluation, leftOut: readonly { why: string }[]): string {
  if (leftOut.length > 0) return `No model was measured: ${leftOut.map(({ why }) => why).join('; ')}`
  return `Nothing can be measured on ${data}: after the split (${split}) nobody has both a past and something new to predict`
}
