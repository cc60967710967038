import type { Snapshot } from '@arus/delta'
import type { DuckDBConnection } from '@duckdb/node-api'
import { dateBatches, rowCountOf } from './file-facts.ts'
import type { Lake } from './lake.ts'
import { dateList, INTAKE_ORDER, SHOPPER, sessionName, sessionsSql } from './silver-sql.ts'

/** Events whose sessions are computed at once. */
const SESSION_ROWS_MAX = 2_000_000
/** Rows of one SELECT that is written; a date with more is written at once all the same. */
const BATCH_ROWS_MAX = 2_000_000

/**
 * SELECTs that give all of `silver.events` from all of bronze, some dates each. Makes temporary tables on the connection, which
 * hold a few numbers per event; DuckDB spills what its limit does not take.
 */
export async function wholeSilverEvents(
  lake: Lake,
  connection: DuckDBConnection,
  snapshot: Snapshot,
): Promise<string[]> {
  const bronze = await lake.relationOfFiles('bronze.events', [...snapshot.files.values()])
  const products = (await lake.relation('silver.products')).sql
  await findRepeats(connection, bronze)
  await findSessions(connection, bronze, { snapshot, gapMinutes: lake.sessionGapMinutes })
  const session = `coalesce(b.session_id, ${sessionName(SHOPPER, 's.session_start')})`
  return dateBatches(snapshot.files.values(), BATCH_ROWS_MAX).map((dates) => {
    const wanted = `event_date IN (${dateList(dates)})`
    return `SELECT b.*, ${SHOPPER} AS shopper, ${session} AS session, p.category
      FROM (SELECT * FROM ${bronze} WHERE ${wanted}) b
        ANTI JOIN repeats USING (log_partition, log_offset)
        LEFT JOIN (SELECT * EXCLUDE event_date FROM sessions WHERE ${wanted}) s USING (log_partition, log_offset)
        LEFT JOIN (SELECT product_id, category FROM ${products}) p ON p.product_id = b.product_id`
  })
}

/** Events of an id that came before: found through the few hashes that occur twice, not by grouping all ids. */
async function findRepeats(connection: DuckDBConnection, bronze: string): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE twice AS
    SELECT hash(event_id) AS h FROM ${bronze} GROUP BY h HAVING count(*) > 1`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE repeats AS
    SELECT log_partition, log_offset FROM (
      SELECT event_id, received_at, log_partition, log_offset FROM ${bronze} b SEMI JOIN twice ON twice.h = hash(b.event_id))
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY ${INTAKE_ORDER}) > 1`)
}

/** Shoppers are taken in groups, so that the windows of one group fit into memory. */
async function findSessions(
  connection: DuckDBConnection,
  bronze: string,
  { snapshot, gapMinutes }: { readonly snapshot: Snapshot; readonly gapMinutes: number },
): Promise<void> {
  const rowCount = [...snapshot.files.values()].reduce((total, file) => total + rowCountOf(file), 0)
  const groupCount = Math.max(1, Math.ceil(rowCount / SESSION_ROWS_MAX))
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE sessions (log_partition INTEGER, log_offset BIGINT, event_date DATE, session_start BIGINT)',
  )
  for (let group = 0; group < groupCount; group++) {
    const events = `(SELECT ${SHOPPER} AS shopper, ts, log_partition, log_offset, event_date FROM ${bronze} b
      ANTI JOIN repeats USING (log_partition, log_offset)
      WHERE session_id IS NULL AND hash(${SHOPPER}) % ${groupCount} = ${group})`
    await connection.run(`INSERT INTO sessions ${sessionsSql(events, gapMinutes)}`)
  }
}
