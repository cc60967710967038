/** The process training runs in: opens the parts it needs from the settings, trains, says what came of it. */
import { once } from 'node:events'
import { ArusError } from '../errors.ts'
import { train } from '../training/train.ts'
import type { TrainingMessage, TrainingOrder } from '../training/train-in-process.ts'
import { openParts } from '../wiring.ts'
import { stepBehindRequests } from './behind-requests.ts'

stepBehindRequests()
const [order] = (await once(process, 'message')) as [TrainingOrder]
const parts = openParts(order.settings)
const abort = new AbortController()
// Ctrl-C reaches the whole process group: the server decides, and tells with SIGTERM.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => abort.abort(new ArusError('CANCELLED', 'Stopped')))
try {
  const report = await train({
    lake: await parts.lake(),
    registry: await parts.registry(),
    spark: await parts.spark(),
    now: Date.now,
    force: order.force,
    servingTolerance: order.settings.servingTolerance,
    trialsMax: order.trialsMax,
    onProgress: (progress) => say({ kind: 'progress', report: progress }),
    signal: abort.signal,
  })
  say({ kind: 'done', report })
} catch (error) {
  const code = error instanceof ArusError ? error.code : 'INTERNAL'
  say({ kind: 'failed', code, message: error instanceof Error ? error.message : String(error) })
} finally {
  await parts.close()
  process.disconnect()
}

function say(message: TrainingMessage): void {
  process.send?.(message)
}
