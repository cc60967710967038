import type { Snapshot } from '@arus/delta'
import type { Computation } from './computation.ts'
import type { FileChanges } from './table-changes.ts'

/** Columns of `silver.events` that interactions and gold are made of. */
const COLUMNS = `log_partition, log_offset, shopper, session, product_id, category, action, ts, price, quantity,
  order_id, event_date`

/** How many rows were gained and lost. */
export interface ChangedCounts {
  readonly cameCount: number
  readonly wentCount: number
}

/** What changed in `silver.events`, for all tables that follow it: looked for once where they stand at the same version. */
export class SilverChanges {
  readonly computation: Computation
  #found: { readonly span: string; readonly counts: ChangedCounts } | null = null

  constructor(computation: Computation) {
    this.computation = computation
  }

  /**
   * Keeps `came` and `went`: rows that `silver.events` gained and lost. A row that was only written anew is in neither; one whose session
   * or category is another now is in both.
   */
  async find(changes: FileChanges): Promise<ChangedCounts> {
    const span = `${changes.from} to ${changes.to}`
    if (this.#found?.span !== span) {
      this.#found = null
      this.#found = { span, counts: await findSilverChanges(this.computation, changes) }
    }
    return this.#found.counts
  }
}

async function findSilverChanges(
  computation: Computation,
  { from, to, added, removed }: FileChanges,
): Promise<ChangedCounts> {
  const now = `(SELECT ${COLUMNS} FROM ${await computation.rowsOf('silver.events', to, added)})`
  const before = `(SELECT ${COLUMNS} FROM ${await computation.rowsOf('silver.events', from, removed)})`
  await computation.keep('came', removed.length === 0 ? `SELECT * FROM ${now}` : without(now, before))
  await computation.keep('went', without(before, now))
  const [[cameCount, wentCount] = []] = await computation.read(
    'SELECT (SELECT count(*) FROM came) AS came, (SELECT count(*) FROM went) AS went',
  )
  return { cameCount: Number(cameCount), wentCount: Number(wentCount) }
}

/**
 * Keeps `after` and `before`: every event of the shoppers in `came` and `went`, as silver has it now and as it had it. What counts shoppers,
 * or is known per shopper, changes through these only.
 */
export async function findShopperChanges(computation: Computation, silver: Snapshot): Promise<void> {
  const all = await computation.rows('silver.events', silver)
  await computation.keep('shoppers', 'SELECT shopper FROM came UNION SELECT shopper FROM went')
  await computation.keep('after', `SELECT ${COLUMNS} FROM ${all} SEMI JOIN shoppers USING (shopper)`)
  await computation.keep('before', `${without('after', 'came')} UNION ALL SELECT * FROM went`)
}

/** Keeps nothing in all four: where silver is as it was. */
export async function findNoChanges(changes: SilverChanges, silver: Snapshot): Promise<void> {
  await changes.find({ from: silver.version, to: silver.version, added: [], removed: [] })
  await findShopperChanges(changes.computation, silver)
}

function without(rows: string, others: string): string {
  return `SELECT a.* FROM ${rows} a ANTI JOIN (SELECT log_partition, log_offset, session, category FROM ${others}) b
    ON a.log_partition = b.log_partition AND a.log_offset = b.log_offset AND a.session = b.session
      AND a.category IS NOT DISTINCT FROM b.category`
}
