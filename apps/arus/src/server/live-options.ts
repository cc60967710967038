import type { EventLog } from '@arus/event-log'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Settings } from '../config/settings.ts'
import { topicsOf } from '../events/topics.ts'
import type { Lake } from '../lake/lake.ts'
import { removalsOf } from '../lake/removals.ts'
import type { LiveProcessorOptions } from '../live/live-processor.ts'
import type { StateStore } from '../state/state-store.ts'

export interface LiveParts {
  readonly settings: Settings
  readonly log: EventLog
  readonly state: StateStore
  readonly lake: Lake
  readonly catalogue: () => Catalogue | null
  readonly now: () => number
}

/** What the live processor of a shop runs by: the same for a server and for a rebuild, so that both come to one state. */
export async function liveOptions(parts: LiveParts): Promise<LiveProcessorOptions> {
  const { settings, log, state, lake, catalogue, now } = parts
  const topics = topicsOf(settings)
  return {
    log,
    topic: topics.events,
    rejectedTopic: topics.rejected,
    state,
    now,
    rules: {
      sessions: { gapMs: settings.sessionGapMs, latenessMs: settings.allowedLatenessMs },
      idleMs: settings.liveIdleMs,
    },
    categoryOf: (productId) => catalogue()?.categoryOf(productId) ?? null,
    idempotencyWindowMs: settings.idempotencyWindowMs,
    isRemoved: await removalsOf(lake, log, topics.events),
  }
}
