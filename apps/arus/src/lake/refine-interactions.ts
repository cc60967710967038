import {
  commitDerivation,
  current,
  isMostlyNew,
  type RefinedTable,
  type RefineOptions,
} from './derived-table.ts'
import { dateBatches } from './file-facts.ts'
import type { Lake } from './lake.ts'
import type { SilverChanges } from './silver-changes.ts'
import { dateList, interactionsSql } from './silver-sql.ts'
import { changesSince, followedVersion } from './table-changes.ts'

/** Brings `silver.interactions` up to `silver.events`: new rows are appended, dates that lost rows are written anew. */
export async function refineInteractions(
  lake: Lake,
  changesOfSilver: SilverChanges,
  options: RefineOptions = {},
): Promise<RefinedTable> {
  const events = await (await lake.table('silver.events')).snapshot()
  const snapshot = await (await lake.table('silver.interactions')).snapshot()
  const from = followedVersion(snapshot, 'silver.events')
  const { computation } = changesOfSilver
  if (from >= events.version && !options.isRebuild) return current('silver.interactions')
  options.onTable?.('silver.interactions')
  const changes = options.isRebuild ? null : await changesSince(lake, 'silver.events', from, events)
  const target = {
    table: 'silver.interactions',
    snapshot,
    sources: { 'silver.events': events.version },
  } as const
  const files = [...events.files.values()]
  const all = await computation.rows('silver.events', events)
  const ofDates = (dates: readonly string[]) =>
    interactionsSql(`(SELECT * FROM ${all} WHERE event_date IN (${dateList(dates)}))`)
  if (changes === null || isMostlyNew(changes, events, options)) {
    const selects = dateBatches(files, 2 * computation.rowsMax).map(ofDates)
    return commitDerivation(computation, { ...target, replace: 'all', selects, isAnew: true })
  }
  const { cameCount, wentCount } = await changesOfSilver.find(changes)
  const lost = await computation.read('SELECT DISTINCT event_date FROM went')
  const dates = lost.map(([date]) => String(date))
  const appended = interactionsSql(
    `(SELECT * FROM came WHERE ${dates.length > 0 ? `event_date NOT IN (${dateList(dates)})` : 'true'})`,
  )
  const isSame = cameCount + wentCount === 0
  return commitDerivation(computation, {
    ...target,
    replace: dates,
    isAnew: false,
    selects: isSame ? [] : dates.length === 0 ? [appended] : [appended, ofDates(dates)],
  })
}
