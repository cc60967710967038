import type { Lake } from '../lake/lake.ts'
import { removeShopper } from '../lake/remove-shopper.ts'
import type { LiveProcessor } from '../live/live-processor.ts'
import type { LakeKeeper } from './lake-keeper.ts'

export interface ForgetParts {
  readonly live: LiveProcessor
  readonly lake: Lake
  readonly keeper: LakeKeeper
}

/**
 * Removes a shopper from live state and lake; returns how much by place. Entries in the log stay until its retention
 * ends, and older versions of the lake's tables until they are vacuumed: erasing those is not done yet.
 */
export async function forgetShopper(
  { live, lake, keeper }: ForgetParts,
  shopper: string,
): Promise<Readonly<Record<string, number>>> {
  const history = await live.forget(shopper)
  // What is still on its way to bronze must be there before it can be removed.
  await keeper.flush()
  const removed = await removeShopper(lake, shopper)
  if ((removed['bronze.events'] ?? 0) > 0) await keeper.refineNow()
  return { live_history: history, ...removed }
}
