import type { Logger } from 'pino'
import type { Parts } from '../cli/context.ts'
import { eraseShopper } from '../erasure/erase-shopper.ts'
import { ErasureWorker } from '../erasure/erasure-worker.ts'
import type { createIngest } from '../events/log-ingest.ts'
import { topicNames } from '../events/topics.ts'
import type { LiveProcessor } from '../live/live-processor.ts'
import type { ExposureLog } from '../recommend/exposure-log.ts'
import type { LakeKeeper } from './lake-keeper.ts'
import type { ModelSlot } from './model-slot.ts'

/** The parts of a running server that may hold something of a shopper. */
export interface ForgettingParts {
  readonly parts: Parts
  readonly live: LiveProcessor
  readonly keeper: LakeKeeper
  readonly models: ModelSlot
  readonly exposures: ExposureLog
  readonly ingest: ReturnType<typeof createIngest>
  readonly logger: Logger
  readonly now: () => number
}

/** Carries out requests to forget shoppers while the server runs, and those that an earlier one left. */
export async function forgettingOf({
  parts,
  live,
  keeper,
  models,
  exposures,
  ingest,
  logger,
  now,
}: ForgettingParts): Promise<ErasureWorker> {
  const store = await parts.erasures()
  const log = await parts.log()
  const registry = await parts.registry()
  const worker = new ErasureWorker({
    store,
    carryOut: async (erasure, onProgress) => {
      const report = await eraseShopper(
        {
          store,
          log,
          topics: topicNames(parts.settings.shop),
          live,
          lake: keeper,
          models: () => registry.list(),
          flushPassports: () => exposures.flush(),
          forgetIds: (eventIds) => ingest.forgetIds(eventIds),
          now,
        },
        erasure,
        onProgress,
      )
      await models.refresh()
      return report
    },
    onFault: (error) => logger.error({ err: error }, 'a shopper could not be forgotten; trying again'),
  })
  worker.start()
  return worker
}
