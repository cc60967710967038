import type { AddFile, Snapshot } from '@arus/delta'
import type { Computation } from './computation.ts'
import { dateBatches } from './file-facts.ts'
import { dateList, INTAKE_ORDER, SHOPPER, sessionName, sessionsSql } from './silver-sql.ts'
import type { FileChanges } from './table-changes.ts'
import { definitionOf } from './tables/index.ts'

/** How to bring `silver.events` from one version of its sources to the next. */
export interface SilverChange {
  /** Dates whose partitions are replaced, because rows that stand there change or go. */
  readonly dates: readonly string[]
  /** What is written, in place of these dates and beside the others. */
  readonly selects: readonly string[]
  readonly hasChanges: boolean
}

export interface SilverChangeInputs {
  readonly computation: Computation
  readonly gapMinutes: number
  readonly bronze: Snapshot
  readonly products: Snapshot
  readonly silver: Snapshot
  readonly changes: FileChanges
  /** Whether the catalogue is another than the one silver stands for. */
  readonly isCatalogueNew: boolean
}

const PLACE = 'log_partition, log_offset'
const COLUMNS = definitionOf('silver.events').columns.map(({ name }) => name)

/**
 * Plans the change, in rows that the computation keeps. Only shoppers and event ids of rows that bronze gained or lost are looked at: which events
 * count now, which of them begin or belong to which session. Most often all of it is new rows; a late event that joins two sessions, or a
 * first copy of an event that came second, changes rows that stand already, and their dates are written anew.
 */
export async function planSilverChange(inputs: SilverChangeInputs): Promise<SilverChange> {
  const { computation, bronze, silver, isCatalogueNew } = inputs
  const all = await computation.rows('silver.events', silver)
  const products = await computation.rows('silver.products', inputs.products)
  await findBronzeChanges(inputs)
  await findWinners(inputs, all, await computation.rows('bronze.events', bronze))
  await findNewSessions(inputs, all)
  await computation.keep(
    'moved_category',
    `SELECT ${PLACE}, event_date FROM ${
      isCatalogueNew
        ? `(SELECT ${PLACE}, event_date, product_id, category FROM ${all}) e
          LEFT JOIN (SELECT product_id, category AS new_category FROM ${products}) p USING (product_id)
          WHERE category IS DISTINCT FROM new_category`
        : `${all} WHERE false`
    }`,
  )
  const moved = await computation.read(
    `SELECT DISTINCT event_date FROM (SELECT event_date FROM new_sessions WHERE is_old
      UNION ALL SELECT event_date FROM dropped UNION ALL SELECT event_date FROM moved_category) ORDER BY 1`,
  )
  const dates = moved.map(([date]) => String(date))
  const [[newCount] = []] = await computation.read('SELECT count(*) FROM gained')
  const files = [...silver.files.values()].filter((file) =>
    dates.includes(file.partitionValues.event_date ?? ''),
  )
  const change = { silver: all, products, dates, files, rowsMax: computation.rowsMax }
  const selects = [gainedSql(dates, products), ...rewrittenSql(change)]
  return { dates, selects, hasChanges: dates.length > 0 || newCount !== '0' }
}

/** `came` and `went`: rows that bronze gained and lost, whole. A row is known by its place in the log. */
async function findBronzeChanges({ computation, changes }: SilverChangeInputs): Promise<void> {
  const added = await computation.rowsOf('bronze.events', changes.to, changes.added)
  const removed = await computation.rowsOf('bronze.events', changes.from, changes.removed)
  const without = (rows: string, others: string) =>
    changes.removed.length === 0
      ? `SELECT * FROM ${rows}`
      : `SELECT * FROM ${rows} ANTI JOIN (SELECT ${PLACE} FROM ${others}) USING (${PLACE})`
  await computation.keep('came', without(added, removed))
  await computation.keep('went', `SELECT event_id FROM (${without(removed, added)})`)
  await computation.keep('ids', 'SELECT event_id FROM came UNION SELECT event_id FROM went')
}

/** `gained`: rows of bronze that count from now on; `dropped`: rows of silver that do not any more. */
async function findWinners(
  { computation, changes }: SilverChangeInputs,
  silver: string,
  bronze: string,
): Promise<void> {
  const columns = `event_id, received_at, ${PLACE}`
  await computation.keep(
    'standing',
    `SELECT ${columns}, shopper, session_id IS NULL AS is_open, event_date FROM ${silver} SEMI JOIN ids USING (event_id)`,
  )
  // The copy that stands in silver is the first of all that bronze had: without losses no other needs to be looked for.
  const copies =
    changes.removed.length === 0
      ? `(SELECT ${columns} FROM standing UNION ALL SELECT ${columns} FROM came)`
      : `(SELECT ${columns} FROM ${bronze} SEMI JOIN ids USING (event_id))`
  await computation.keep(
    'winners',
    `SELECT ${PLACE} FROM (SELECT ${PLACE}, row_number() OVER (PARTITION BY event_id ORDER BY ${INTAKE_ORDER}) AS nth
      FROM ${copies}) WHERE nth = 1`,
  )
  await computation.keep(
    'dropped',
    `SELECT ${PLACE}, event_date, shopper, is_open FROM standing ANTI JOIN winners USING (${PLACE})`,
  )
  await computation.keep(
    'gained',
    `SELECT *, ${SHOPPER} AS shopper FROM ${changes.removed.length === 0 ? 'came' : bronze}
      SEMI JOIN (SELECT * FROM winners ANTI JOIN standing USING (${PLACE})) w USING (${PLACE})`,
  )
}

/** `new_sessions`: the session of each gained row that has none given, and of rows that stand (`is_old`) where it is another now. */
async function findNewSessions(
  { computation, gapMinutes }: SilverChangeInputs,
  silver: string,
): Promise<void> {
  const sessions = sessionsSql(computation.dialect, 'open_events', gapMinutes)
  await computation.keep(
    'shoppers',
    'SELECT shopper FROM gained WHERE session_id IS NULL UNION SELECT shopper FROM dropped WHERE is_open',
  )
  await computation.keep(
    'open_events',
    `SELECT shopper, ts, ${PLACE}, event_date, session FROM
      (SELECT shopper, ts, ${PLACE}, event_date, session FROM ${silver} SEMI JOIN shoppers USING (shopper) WHERE session_id IS NULL)
      ANTI JOIN dropped USING (${PLACE})
    UNION ALL SELECT shopper, ts, ${PLACE}, event_date, NULL FROM gained WHERE session_id IS NULL`,
  )
  await computation.keep(
    'new_sessions',
    `SELECT ${PLACE}, e.event_date, ${sessionName('e.shopper', 's.session_start')} AS session, e.session IS NOT NULL AS is_old
    FROM open_events e JOIN (${sessions}) s USING (${PLACE})
    WHERE e.session IS DISTINCT FROM ${sessionName('e.shopper', 's.session_start')}`,
  )
}

/** Gained rows of dates that are not written anew. */
function gainedSql(rewritten: readonly string[], products: string): string {
  return gainedOf(`g.event_date NOT IN (${dateList(rewritten)})`, rewritten.length === 0, products)
}

function gainedOf(condition: string, isAll: boolean, products: string): string {
  return `SELECT ${silverColumns('g', { session: 'coalesce(g.session_id, s.session)', category: 'p.category' })}
    FROM (SELECT * FROM gained g WHERE ${isAll ? 'true' : condition}) g
      LEFT JOIN (SELECT ${PLACE}, session FROM new_sessions) s
        ON s.log_partition = g.log_partition AND s.log_offset = g.log_offset
      LEFT JOIN (SELECT product_id, category FROM ${products} SEMI JOIN gained USING (product_id)) p ON p.product_id = g.product_id`
}

interface Rewritten {
  readonly silver: string
  readonly products: string
  readonly dates: readonly string[]
  /** Files of silver that hold these dates. */
  readonly files: readonly AddFile[]
  readonly rowsMax: number
}

/** The dates that are written anew: what stands there, changed, and what was gained. */
function rewrittenSql({ silver, products, dates, files, rowsMax }: Rewritten): string[] {
  const empty = dates.filter((date) => !files.some((file) => file.partitionValues.event_date === date))
  return [...dateBatches(files, rowsMax), ...(empty.length > 0 ? [empty] : [])].map((batch) => {
    const wanted = `event_date IN (${dateList(batch)})`
    return `SELECT ${silverColumns('e', { session: 'coalesce(s.session, e.session)', category: 'p.category' })}
      FROM (SELECT * FROM ${silver} ANTI JOIN dropped USING (${PLACE}) WHERE ${wanted}) e
        LEFT JOIN (SELECT ${PLACE}, session FROM new_sessions WHERE is_old) s
          ON s.log_partition = e.log_partition AND s.log_offset = e.log_offset
        LEFT JOIN (SELECT product_id, category FROM ${products}) p ON p.product_id = e.product_id
      UNION ALL ${gainedOf(`g.${wanted}`, false, products)}`
  })
}

/** Every column of `silver.events`, in the order of its definition, some by an expression of their own. */
function silverColumns(from: string, others: Readonly<Record<string, string>>): string {
  return COLUMNS.map((name) => {
    const expression = others[name]
    return expression === undefined ? `${from}.${name}` : `${expression} AS ${name}`
  }).join(', ')
}
