import {
  commitDerivation,
  current,
  isMostlyNew,
  type RefinedTable,
  type RefineOptions,
} from './derived-table.ts'
import { dateBatches } from './file-facts.ts'
import type { Lake } from './lake.ts'
import { findSilverChanges } from './silver-changes.ts'
import { dateList, interactionsSql } from './silver-sql.ts'
import { changesSince, followedVersion } from './table-changes.ts'

const BATCH_ROWS_MAX = 4_000_000

/** Brings `silver.interactions` up to `silver.events`: new rows are appended, dates that lost rows are written anew. */
export async function refineInteractions(lake: Lake, options: RefineOptions = {}): Promise<RefinedTable> {
  const events = await (await lake.table('silver.events')).snapshot()
  const snapshot = await (await lake.table('silver.interactions')).snapshot()
  const from = followedVersion(snapshot, 'silver.events')
  if (from >= events.version && !options.isRebuild) return current('silver.interactions')
  options.onTable?.('silver.interactions')
  const changes = options.isRebuild ? null : await changesSince(lake, 'silver.events', from, events)
  const target = {
    table: 'silver.interactions',
    snapshot,
    sources: { 'silver.events': events.version },
  } as const
  const files = [...events.files.values()]
  const all = await lake.relationOfFiles('silver.events', files)
  const ofDates = (dates: readonly string[]) =>
    interactionsSql(`(FROM ${all} WHERE event_date IN (${dateList(dates)}))`)
  const connection = await lake.duckdb.connect()
  try {
    if (changes === null || isMostlyNew(changes, events, options)) {
      const selects = dateBatches(files, BATCH_ROWS_MAX).map(ofDates)
      return await commitDerivation(lake, connection, { ...target, replace: 'all', selects, isAnew: true })
    }
    const { cameCount, wentCount } = await findSilverChanges(lake, connection, changes)
    const lost = await connection.runAndReadAll('SELECT DISTINCT event_date::VARCHAR FROM went')
    const dates = lost.getRows().map(([date]) => String(date))
    const appended = interactionsSql(
      `(FROM came WHERE ${dates.length > 0 ? `event_date NOT IN (${dateList(dates)})` : 'true'})`,
    )
    const isSame = cameCount + wentCount === 0
    return await commitDerivation(lake, connection, {
      ...target,
      replace: dates,
      isAnew: false,
      selects: isSame ? [] : dates.length === 0 ? [appended] : [appended, ofDates(dates)],
    })
  } finally {
    connection.closeSync()
  }
}
