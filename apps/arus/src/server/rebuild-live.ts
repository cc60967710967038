import type { Catalogue } from '../catalogue/catalogue.ts'
import type { CliContext } from '../cli/context.ts'
import type { LiveRebuild } from '../cli/rebuild-command.ts'
import { ArusError } from '../errors.ts'
import { ensureTopics } from '../events/ensure-topics.ts'
import { rebuildLiveState } from '../live/live-processor.ts'
import { liveOptions } from './live-options.ts'

/** Makes live state anew from the log, by the rules a server has; the server must be stopped. */
export async function rebuildLive({ parts, onProgress, note }: CliContext): Promise<LiveRebuild> {
  const { settings } = parts
  const log = await parts.log()
  await ensureTopics(log, settings)
  const state = await parts.state()
  const catalogue = await catalogueOrNone(parts.catalogue())
  if (catalogue === null) note('There is no catalogue: categories are not counted.')
  const lake = await parts.lake()
  const options = await liveOptions({ settings, log, state, lake, catalogue: () => catalogue, now: Date.now })
  const onFault = (error: unknown) => note(error instanceof Error ? error.message : String(error))
  onProgress({ step: 'Applying the log', done: 0, total: 1, unit: 'steps' })
  const startedAt = performance.now()
  const { events_total, total_users } = await rebuildLiveState({ ...options, onFault })
  onProgress({ step: 'Applying the log', done: 1, total: 1, unit: 'steps' })
  return {
    events: events_total,
    shoppers: total_users,
    sizeBytes: await state.sizeBytes(),
    tookMs: performance.now() - startedAt,
  }
}

/** Null where nothing was imported yet. */
export async function catalogueOrNone(opening: Promise<Catalogue>): Promise<Catalogue | null> {
  return opening.catch((error: unknown) => {
    if (error instanceof ArusError && error.code === 'CATALOGUE_EMPTY') return null
    throw error
  })
}
