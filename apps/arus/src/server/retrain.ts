import { join } from 'node:path'
import type { CliContext } from '../cli/context.ts'
import { ArusError } from '../errors.ts'
import { pause } from '../pause.ts'
import { keepTraining } from '../training/retraining.ts'
import { trainInProcess } from '../training/train-in-process.ts'
import type { Server } from './server.ts'

const LOOK_EVERY_MS = 10 * 60_000
/** A training takes both cores for a while: not more often than this, whatever shoppers do. */
const REST_MS = 3_600_000

/** Keeps the model of a running server fresh, in a process of its own and gated like any training; not at all where the setting says so. */
export async function keepModelFresh(context: CliContext, server: Server): Promise<void> {
  const { parts, signal, note } = context
  const { settings } = parts
  if (settings.trainEveryMs === null) return
  // What was started just now has better things to do.
  await pause(LOOK_EVERY_MS, signal)
  await keepTraining({
    registry: await parts.registry(),
    query: await parts.query(),
    rules: { everyMs: settings.trainEveryMs, restMs: Math.min(REST_MS, settings.trainEveryMs) },
    now: Date.now,
    lookEveryMs: LOOK_EVERY_MS,
    // Of servers that share live state one is enough.
    isDue: () => server.live.isLeading,
    signal,
    async train(why) {
      note(`Training: ${why} …`)
      const { version, wasPromoted } = await trainInProcess({
        entry: join(import.meta.dirname, 'training-process.ts'),
        order: { settings, force: false },
        onProgress: () => {},
        signal,
      })
      await server.models.refresh()
      note(`Version ${version.version} (${version.kind}) ${outcomeOf(wasPromoted)}: ${version.reason}.`)
    },
    onFault(error) {
      if (error instanceof ArusError && error.code === 'TRAINING_NO_DATA') return
      note(
        `Training failed, the model in place goes on serving: ${error instanceof Error ? error.message : error}`,
      )
    },
  })
}

function outcomeOf(wasPromoted: boolean): string {
  return wasPromoted ? 'is in service' : 'was not promoted'
}
