/** The thread training runs on: opens the parts it needs from the settings, trains, says what came of it. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Settings } from '../config/settings.ts'
import { ArusError } from '../errors.ts'
import { train } from '../training/train.ts'
import type { WorkerMessage } from '../training/train-in-worker.ts'
import { openParts } from '../wiring.ts'

const { settings, force } = workerData as { readonly settings: Settings; readonly force: boolean }
const parts = openParts(settings)
const say = (message: WorkerMessage) => parentPort?.postMessage(message)
try {
  const report = await train({
    lake: await parts.lake(),
    registry: await parts.registry(),
    now: Date.now,
    force,
    onProgress: (progress) => say({ kind: 'progress', report: progress }),
    signal: new AbortController().signal,
  })
  say({ kind: 'done', report })
} catch (error) {
  const code = error instanceof ArusError ? error.code : 'INTERNAL'
  say({ kind: 'failed', code, message: error instanceof Error ? error.message : String(error) })
} finally {
  await parts.close()
}
