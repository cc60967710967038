import type { AddFile, Snapshot } from '@arus/delta'
import type { DuckDBConnection } from '@duckdb/node-api'
import { dateBatches } from './file-facts.ts'
import type { Lake } from './lake.ts'
import { dateList, INTAKE_ORDER, SHOPPER, sessionName, sessionsSql } from './silver-sql.ts'
import type { FileChanges } from './table-changes.ts'

/** How to bring `silver.events` from one version of its sources to the next. */
export interface SilverChange {
  /** Dates whose partitions are replaced, because rows that stand there change or go. */
  readonly dates: readonly string[]
  /** What is written, in place of these dates and beside the others. */
  readonly selects: readonly string[]
  readonly hasChanges: boolean
}

export interface SilverChangeInputs {
  readonly lake: Lake
  readonly connection: DuckDBConnection
  readonly bronze: Snapshot
  readonly silver: Snapshot
  readonly changes: FileChanges
  /** Whether the catalogue is another than the one silver stands for. */
  readonly isCatalogueNew: boolean
}

const BATCH_ROWS_MAX = 2_000_000
const PLACE = 'log_partition, log_offset'

/**
 * Plans the change, in temporary tables of the connection. Only shoppers and event ids of rows that bronze gained or lost are looked at: which events
 * count now, which of them begin or belong to which session. Most often all of it is new rows; a late event that joins two sessions, or a
 * first copy of an event that came second, changes rows that stand already, and their dates are written anew.
 */
export async function planSilverChange(inputs: SilverChangeInputs): Promise<SilverChange> {
  const { lake, connection, bronze, silver, isCatalogueNew } = inputs
  const all = await lake.relationOfFiles('silver.events', [...silver.files.values()])
  const products = (await lake.relation('silver.products')).sql
  await findBronzeChanges(inputs)
  await findWinners(inputs, all, await lake.relationOfFiles('bronze.events', [...bronze.files.values()]))
  await findNewSessions(inputs, all)
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE moved_category AS SELECT ${PLACE}, event_date FROM ${
      isCatalogueNew
        ? `(SELECT e.* FROM (SELECT ${PLACE}, event_date, product_id, category FROM ${all}) e
          LEFT JOIN (SELECT product_id, category FROM ${products}) p USING (product_id)
          WHERE e.category IS DISTINCT FROM p.category)`
        : `${all} WHERE false`
    }`,
  )
  const dates = await textsOf(
    connection,
    `SELECT DISTINCT event_date::VARCHAR FROM (SELECT event_date FROM new_sessions WHERE is_old
      UNION ALL SELECT event_date FROM dropped UNION ALL SELECT event_date FROM moved_category) ORDER BY 1`,
  )
  const [newCount = '0'] = await textsOf(connection, 'SELECT count(*)::VARCHAR FROM gained')
  const files = [...silver.files.values()].filter((file) =>
    dates.includes(file.partitionValues.event_date ?? ''),
  )
  const selects = [gainedSql(dates, products), ...rewrittenSql(all, products, dates, files)]
  return { dates, selects, hasChanges: dates.length > 0 || newCount !== '0' }
}

/** `came` and `went`: rows that bronze gained and lost, whole. A row is known by its place in the log. */
async function findBronzeChanges({ lake, connection, changes }: SilverChangeInputs): Promise<void> {
  const added = await lake.relationOfFiles('bronze.events', changes.added)
  const removed = await lake.relationOfFiles('bronze.events', changes.removed)
  const without = (rows: string, others: string) =>
    changes.removed.length === 0
      ? `SELECT * FROM ${rows}`
      : `SELECT * FROM ${rows} ANTI JOIN (SELECT ${PLACE} FROM ${others}) USING (${PLACE})`
  await connection.run(`CREATE OR REPLACE TEMP TABLE came AS ${without(added, removed)}`)
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE went AS SELECT event_id FROM (${without(removed, added)})`,
  )
  await connection.run(`CREATE OR REPLACE TEMP TABLE ids AS
    SELECT event_id FROM came UNION SELECT event_id FROM went`)
}

/** `gained`: rows of bronze that count from now on; `dropped`: rows of silver that do not any more. */
async function findWinners(
  { connection, changes }: SilverChangeInputs,
  silver: string,
  bronze: string,
): Promise<void> {
  const columns = `event_id, received_at, ${PLACE}`
  await connection.run(`CREATE OR REPLACE TEMP TABLE standing AS
    SELECT ${columns}, ${SHOPPER} AS shopper, session_id IS NULL AS is_open, event_date FROM ${silver} SEMI JOIN ids USING (event_id)`)
  // The copy that stands in silver is the first of all that bronze had: without losses no other needs to be looked for.
  const copies =
    changes.removed.length === 0
      ? `(SELECT ${columns} FROM standing UNION ALL SELECT ${columns} FROM came)`
      : `(SELECT ${columns} FROM ${bronze} SEMI JOIN ids USING (event_id))`
  await connection.run(`CREATE OR REPLACE TEMP TABLE winners AS SELECT ${PLACE} FROM ${copies}
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY ${INTAKE_ORDER}) = 1`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE dropped AS
    SELECT ${PLACE}, event_date, shopper, is_open FROM standing ANTI JOIN winners USING (${PLACE})`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE gained AS
    SELECT b.*, ${SHOPPER} AS shopper FROM ${changes.removed.length === 0 ? 'came' : bronze} b
      SEMI JOIN (FROM winners ANTI JOIN standing USING (${PLACE})) w USING (${PLACE})`)
}

/** `new_sessions`: the session of each gained row that has none given, and of rows that stand (`is_old`) where it is another now. */
async function findNewSessions({ lake, connection }: SilverChangeInputs, silver: string): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE shoppers AS
    SELECT shopper FROM gained WHERE session_id IS NULL UNION SELECT shopper FROM dropped WHERE is_open`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE open_events AS
    SELECT shopper, ts, ${PLACE}, event_date, session FROM
      (SELECT shopper, ts, ${PLACE}, event_date, session FROM ${silver} SEMI JOIN shoppers USING (shopper) WHERE session_id IS NULL)
      ANTI JOIN dropped USING (${PLACE})
    UNION ALL SELECT shopper, ts, ${PLACE}, event_date, NULL FROM gained WHERE session_id IS NULL`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE new_sessions AS
    SELECT ${PLACE}, e.event_date, ${sessionName('e.shopper', 's.session_start')} AS session, e.session IS NOT NULL AS is_old
    FROM open_events e JOIN (${sessionsSql('open_events', lake.sessionGapMinutes)}) s USING (${PLACE})
    WHERE e.session IS DISTINCT FROM ${sessionName('e.shopper', 's.session_start')}`)
}

/** Gained rows of dates that are not written anew. */
function gainedSql(rewritten: readonly string[], products: string): string {
  return gainedOf(`g.event_date NOT IN (${dateList(rewritten)})`, rewritten.length === 0, products)
}

function gainedOf(condition: string, isAll: boolean, products: string): string {
  return `SELECT g.*, coalesce(g.session_id, s.session) AS session, p.category
    FROM (SELECT * FROM gained g WHERE ${isAll ? 'true' : condition}) g
      LEFT JOIN (SELECT ${PLACE}, session FROM new_sessions) s USING (${PLACE})
      LEFT JOIN (SELECT product_id, category FROM ${products} SEMI JOIN gained USING (product_id)) p ON p.product_id = g.product_id`
}

/** The dates that are written anew: what stands there, changed, and what was gained. */
function rewrittenSql(
  silver: string,
  products: string,
  dates: readonly string[],
  files: readonly AddFile[],
): string[] {
  const empty = dates.filter((date) => !files.some((file) => file.partitionValues.event_date === date))
  return [...dateBatches(files, BATCH_ROWS_MAX), ...(empty.length > 0 ? [empty] : [])].map((batch) => {
    const wanted = `event_date IN (${dateList(batch)})`
    return `SELECT * FROM (SELECT e.* REPLACE (coalesce(s.session, e.session) AS session, p.category AS category)
      FROM (SELECT * FROM ${silver} WHERE ${wanted}) e
        ANTI JOIN dropped USING (${PLACE})
        LEFT JOIN (SELECT ${PLACE}, session FROM new_sessions WHERE is_old) s USING (${PLACE})
        LEFT JOIN (SELECT product_id, category FROM ${products}) p ON p.product_id = e.product_id)
      UNION ALL BY NAME ${gainedOf(`g.${wanted}`, false, products)}`
  })
}

async function textsOf(connection: DuckDBConnection, sql: string): Promise<string[]> {
  return (await connection.runAndReadAll(sql)).getRows().map(([value]) => String(value))
}
