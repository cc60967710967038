import type { Snapshot } from '@arus/delta'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Lake } from './lake.ts'
import type { FileChanges } from './table-changes.ts'

/** Columns of `silver.events` that interactions and gold are made of. */
const COLUMNS = `log_partition, log_offset, shopper, session, product_id, category, action, ts, price, quantity,
  order_id, event_date`

/**
 * Temporary tables `came` and `went`: rows that `silver.events` gained and lost. A row that was only written anew is in neither; one whose session or
 * category is another now is in both. Returns how many there are of each.
 */
export async function findSilverChanges(
  lake: Lake,
  connection: DuckDBConnection,
  { added, removed }: FileChanges,
): Promise<{ readonly cameCount: number; readonly wentCount: number }> {
  const now = `(SELECT ${COLUMNS} FROM ${await lake.relationOfFiles('silver.events', added)})`
  const before = `(SELECT ${COLUMNS} FROM ${await lake.relationOfFiles('silver.events', removed)})`
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE came AS ${removed.length === 0 ? `FROM ${now}` : without(now, before)}`,
  )
  await connection.run(`CREATE OR REPLACE TEMP TABLE went AS ${without(before, now)}`)
  const counts = await connection.runAndReadAll(
    'SELECT (SELECT count(*) FROM came)::INTEGER, (SELECT count(*) FROM went)::INTEGER',
  )
  const [[cameCount, wentCount] = []] = counts.getRows()
  return { cameCount: Number(cameCount), wentCount: Number(wentCount) }
}

/**
 * Temporary tables `after` and `before`: every event of the shoppers in `came` and `went`, as silver has it now and as it had it. What counts shoppers,
 * or is known per shopper, changes through these only.
 */
export async function findShopperChanges(
  lake: Lake,
  connection: DuckDBConnection,
  silver: Snapshot,
): Promise<void> {
  const all = await lake.relationOfFiles('silver.events', [...silver.files.values()])
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE shoppers AS SELECT shopper FROM came UNION SELECT shopper FROM went',
  )
  await connection.run(`CREATE OR REPLACE TEMP TABLE after AS
    SELECT ${COLUMNS} FROM ${all} SEMI JOIN shoppers USING (shopper)`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE before AS
    ${without('after', 'came')} UNION ALL FROM went`)
}

function without(rows: string, others: string): string {
  return `SELECT a.* FROM ${rows} a ANTI JOIN (SELECT log_partition, log_offset, session, category FROM ${others}) b
    ON a.log_partition = b.log_partition AND a.log_offset = b.log_offset AND a.session = b.session
      AND a.category IS NOT DISTINCT FROM b.category`
}
