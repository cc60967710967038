/** The process an evaluation runs in: reads, closes what it opened, then computes. It writes nothing, so it may be killed at any time. */
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { ArusError } from '../errors.ts'
import type { EvaluationMessage, EvaluationOrder } from '../evaluation/evaluate-in-process.ts'
import { prepareEvaluation } from '../evaluation/prepare-evaluation.ts'
import { runEvaluation } from '../evaluation/run-evaluation.ts'
import { openParts } from '../wiring.ts'

// A server beside it is to go on as if nothing were computed.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
const [{ settings, question, runId }] = (await once(process, 'message')) as [EvaluationOrder]
const parts = openParts(settings)
// Ctrl-C reaches the whole process group: the command decides, and tells with SIGTERM.
process.on('SIGINT', () => {})
// What is open is closed first. Computing leaves no room for it, and has nothing open: then SIGTERM ends the process at once.
const close = () => void parts.close().finally(() => process.exit(143))
process.once('SIGTERM', close)
try {
  const prepared = await prepareEvaluation(question, {
    lake: () => parts.lake(),
    registry: () => parts.registry(),
    spark: () => parts.spark(),
    servingTolerance: settings.servingTolerance,
    onProgress: (report) => say({ kind: 'progress', report }),
    note: (text) => void process.stderr.write(`${text}\n`),
    signal: new AbortController().signal,
  })
  await parts.close()
  process.off('SIGTERM', close)
  const report = runEvaluation(prepared, { k: question.k, runId, evaluatedAtMs: Date.now() })
  say({ kind: 'done', report })
} catch (error) {
  const code = error instanceof ArusError ? error.code : 'INTERNAL'
  say({ kind: 'failed', code, message: error instanceof Error ? error.message : String(error) })
} finally {
  await parts.close()
  process.disconnect()
}

function say(message: EvaluationMessage): void {
  process.send?.(message)
}
