import type { Snapshot } from '@arus/delta'
import type { Computation } from './computation.ts'
import { dateBatches, rowCountOf } from './file-facts.ts'
import { dateList, INTAKE_ORDER, inGroup, SHOPPER, sessionName, sessionsSql } from './silver-sql.ts'

export interface SilverEventsInputs {
  readonly bronze: Snapshot
  readonly products: Snapshot
  readonly gapMinutes: number
}

/** SELECTs that give all of `silver.events` from all of bronze, some dates each, from kept rows of a few numbers per event. */
export async function wholeSilverEvents(
  computation: Computation,
  { bronze: snapshot, products: catalogue, gapMinutes }: SilverEventsInputs,
): Promise<string[]> {
  const bronze = await computation.rows('bronze.events', snapshot)
  const products = await computation.rows('silver.products', catalogue)
  await findRepeats(computation, bronze)
  await findSessions(computation, bronze, { snapshot, gapMinutes })
  const session = `coalesce(b.session_id, ${sessionName(SHOPPER, 's.session_start')})`
  return dateBatches(snapshot.files.values(), computation.rowsMax).map((dates) => {
    const wanted = `event_date IN (${dateList(dates)})`
    return `SELECT b.*, ${SHOPPER} AS shopper, ${session} AS session, p.category
      FROM (SELECT * FROM ${bronze} WHERE ${wanted}) b
        ANTI JOIN repeats r ON b.log_partition = r.log_partition AND b.log_offset = r.log_offset
        LEFT JOIN (SELECT log_partition, log_offset, session_start FROM sessions WHERE ${wanted}) s
          ON b.log_partition = s.log_partition AND b.log_offset = s.log_offset
        LEFT JOIN (SELECT product_id, category FROM ${products}) p ON p.product_id = b.product_id`
  })
}

/** Events of an id that came before: found through the few hashes that occur twice, not by grouping all ids. */
async function findRepeats(computation: Computation, bronze: string): Promise<void> {
  await computation.keep(
    'twice',
    `SELECT hash(event_id) AS h FROM ${bronze} GROUP BY hash(event_id) HAVING count(*) > 1`,
  )
  await computation.keep(
    'repeats',
    `SELECT log_partition, log_offset FROM (
      SELECT log_partition, log_offset, row_number() OVER (PARTITION BY event_id ORDER BY ${INTAKE_ORDER}) AS nth
      FROM ${bronze} b SEMI JOIN twice ON twice.h = hash(b.event_id)) WHERE nth > 1`,
  )
}

/** Shoppers are taken in groups, so that the windows of one group fit into memory. */
async function findSessions(
  computation: Computation,
  bronze: string,
  { snapshot, gapMinutes }: { readonly snapshot: Snapshot; readonly gapMinutes: number },
): Promise<void> {
  const rowCount = [...snapshot.files.values()].reduce((total, file) => total + rowCountOf(file), 0)
  const groupCount = Math.max(1, Math.ceil(rowCount / computation.rowsMax))
  const selects = Array.from({ length: groupCount }, (_, group) => {
    const events = `(SELECT ${SHOPPER} AS shopper, ts, log_partition, log_offset, event_date FROM ${bronze} b
      ANTI JOIN repeats USING (log_partition, log_offset)
      WHERE session_id IS NULL AND ${inGroup(SHOPPER, group, groupCount)})`
    return sessionsSql(computation.dialect, events, gapMinutes)
  })
  await computation.keep('sessions', selects)
}
