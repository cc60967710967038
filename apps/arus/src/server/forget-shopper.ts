import { join } from 'node:path'
import type { CliContext } from '../cli/context.ts'
import { dataFolders } from '../config/settings.ts'
import { eraseShopper } from '../erasure/erase-shopper.ts'
import { ErasureWorker } from '../erasure/erasure-worker.ts'
import { topicsOf } from '../events/topics.ts'
import { eraseFromLake, findInLake } from '../lake/erase-from-lake.ts'
import { startLiveProcessor } from '../live/live-processor.ts'
import { lockWhenFree } from '../operations/server-lock.ts'
import { liveOptions } from './live-options.ts'
import { catalogueOrNone } from './rebuild-live.ts'

/** Carries out the requests to forget that wait, by the parts a server has; the server must be stopped. */
export async function forgetWaiting({ parts, onProgress, note, signal }: CliContext): Promise<void> {
  const { settings } = parts
  const topics = topicsOf(settings)
  const unlock = await lockWhenFree(join(dataFolders(settings).root, 'lake.lock'), signal)
  try {
    const log = await parts.log()
    for (const topic of Object.values(topics))
      await log.ensureTopic(topic, { partitionCount: settings.partitionCount })
    const lake = await parts.lake()
    const compute = await parts.compute()
    const catalogue = await catalogueOrNone(parts.catalogue())
    const state = await parts.state()
    const live = await startLiveProcessor(
      await liveOptions({ settings, log, state, lake, catalogue: () => catalogue, now: Date.now }),
    )
    const registry = await parts.registry()
    const store = await parts.erasures()
    const worker = new ErasureWorker({
      store,
      carryOut: (erasure, report) =>
        eraseShopper(
          {
            store,
            log,
            topics,
            live,
            lake: {
              find: (shopper) => findInLake({ lake, log, topics }, shopper),
              erase: (names, onLake) =>
                eraseFromLake({ lake, log, topics, compute }, names, { onProgress: onLake }),
            },
            models: () => registry.list(),
            flushPassports: async () => {},
            forgetIds: () => {},
            now: Date.now,
          },
          erasure,
          report,
        ),
      onProgress,
      onFault: (error) => note(error instanceof Error ? error.message : String(error)),
    })
    try {
      await worker.runAll()
    } finally {
      await live.stop()
    }
  } finally {
    unlock()
  }
}
