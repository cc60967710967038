import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { Lake } from './lake.ts'
import { stageRows } from './staged-rows.ts'

const ATTEMPTS_MAX = 20
const IS_THEIRS =
  'coalesce(coalesce(user_id, anonymous_id, session_id) IN (SELECT shopper FROM removed), false)'

/**
 * Removes a shopper's events from `bronze.events` by replacing the partitions they stand in; the next refinement
 * removes them from silver and gold. Returns the rows removed. Events that others append meanwhile stay. The files
 * they stood in can be read as older versions until they are vacuumed.
 */
export async function removeShopperEvents(lake: Lake, shopper: string): Promise<number> {
  const connection = await lake.duckdb.connect()
  try {
    await stageRows(connection, 'removed', [['shopper', 'text']], [[shopper]])
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const removed = await removeOnce(lake, connection)
      if (removed !== null) return removed
    }
  } finally {
    connection.closeSync()
  }
  throw new ArusError(
    'INTERNAL',
    `bronze.events changed ${ATTEMPTS_MAX} times while events were being removed; try again`,
  )
}

/** Null when the table changed meanwhile. */
async function removeOnce(lake: Lake, connection: DuckDBConnection): Promise<number | null> {
  const { sql, version } = await lake.relation('bronze.events')
  const found = await connection.runAndReadAll(
    `SELECT CAST(event_date AS VARCHAR), count(*)::INTEGER FROM ${sql} WHERE ${IS_THEIRS} GROUP BY 1`,
  )
  const dates = found.getRows().map(([date, count]) => ({ date: String(date), count: Number(count) }))
  if (dates.length === 0) return 0
  const list = dates.map(({ date }) => `DATE '${date}'`).join(', ')
  const { kind } = await lake.write(
    'bronze.events',
    `SELECT * FROM ${sql} WHERE event_date IN (${list}) AND NOT ${IS_THEIRS}`,
    {
      mode: 'overwrite',
      partitions: dates.map(({ date }) => ({ event_date: date })),
      readVersion: version,
      connection,
    },
  )
  return kind === 'conflict' ? null : dates.reduce((total, { count }) => total + count, 0)
}
