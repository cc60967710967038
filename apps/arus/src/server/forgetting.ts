import type { Logger } from 'pino'
import type { Parts } from '../cli/context.ts'
import { eraseShopper } from '../erasure/erase-shopper.ts'
import { ErasureWorker } from '../erasure/erasure-worker.ts'
import type { createIngest } from '../events/log-ingest.ts'
import { topicsOf } from '../events/topics.ts'
import type { LiveProcessor } from '../live/live-processor.ts'
import type { LakeKeeper } from './lake-keeper.ts'

/** The parts of a running server that may hold something of a shopper. */
export interface ForgettingParts {
  readonly parts: Parts
  readonly live: LiveProcessor
  readonly keeper: LakeKeeper
  /** Takes notice of models that are outdated now. */
  readonly refreshModels: () => Promise<void>
  /** Resolves when passports of answers given so far are in the log. */
  readonly flushPassports: () => Promise<void>
  readonly ingest: ReturnType<typeof createIngest>
  readonly logger: Logger
  readonly now: () => number
}

/** Carries out requests to forget shoppers while the server runs, and those that an earlier one left. */
export async function forgettingOf({
  parts,
  live,
  keeper,
  refreshModels,
  flushPassports,
  ingest,
  logger,
  now,
}: ForgettingParts): Promise<ErasureWorker> {
  const store = await parts.erasures()
  const log = await parts.log()
  const registry = await parts.registry()
  const worker = new ErasureWorker({
    store,
    // Of servers that share live state whoever leads, so that no two are at one.
    isDue: () => live.isLeading,
    carryOut: async (erasure, onProgress) => {
      const report = await eraseShopper(
        {
          store,
          log,
          topics: topicsOf(parts.settings),
          live,
          lake: keeper,
          models: () => registry.list(),
          flushPassports,
          forgetIds: (eventIds) => ingest.forgetIds(eventIds),
          now,
        },
        erasure,
        onProgress,
      )
      await refreshModels()
      return report
    },
    onFault: (error) => logger.error({ err: error }, 'a shopper could not be forgotten; trying again'),
  })
  worker.start()
  return worker
}
