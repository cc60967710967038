import type { Snapshot } from '@arus/delta'
import type { Computation } from './computation.ts'
import type { Derivation } from './derived-table.ts'
import { dateBatches, rowCountOf } from './file-facts.ts'
import { differenceSql, type Rollup, totalsSql, userStatsSql } from './gold-rollups.ts'
import { addedSql, finishedSql } from './gold-tables-sql.ts'
import { findNoChanges, type SilverChanges } from './silver-changes.ts'
import { dateList, inGroup } from './silver-sql.ts'
import { definitionOf } from './tables/index.ts'

/** What gold is computed from, at one version each. */
export interface GoldSources {
  readonly computation: Computation
  readonly changes: SilverChanges
  readonly silver: Snapshot
  /** FROM text of `silver.events`. */
  readonly events: string
  readonly products: { readonly sql: string; readonly version: number }
}

/** `changes`: `came`, `went`, `after` and `before` are kept. */
export type Readiness = 'anew' | 'changes' | 'no changes'

/** A gold table before the change. */
export interface GoldState {
  readonly snapshot: Snapshot
  readonly isReady: Readiness
  readonly isCatalogueNew: boolean
}

type Plan = Pick<Derivation, 'replace' | 'selects' | 'isAnew'>

const NOTHING: Plan = { replace: [], selects: [], isAnew: false }

/** `gold.user_stats`: rows of shoppers that changed are replaced by what all their events say. */
export async function planUserStats(sources: GoldSources, { snapshot, isReady }: GoldState): Promise<Plan> {
  if (isReady === 'no changes') return NOTHING
  if (isReady === 'anew') {
    return { replace: 'all', selects: keyGroups(sources, 'shopper').map(userStatsSql), isAnew: true }
  }
  const old = await sources.computation.rows('gold.user_stats', snapshot)
  const columns = definitionOf('gold.user_stats').columns.map(({ name }) => name)
  const select = `SELECT ${columns.join(', ')} FROM ${old} ANTI JOIN shoppers USING (shopper) UNION ALL ${userStatsSql('after')}`
  return { replace: 'all', selects: [select], isAnew: false }
}

/** A table that adds up: by the difference, or anew. */
export async function planRollup(sources: GoldSources, rollup: Rollup, state: GoldState): Promise<Plan> {
  if (state.isReady === 'anew') return anewPlan(sources, rollup)
  if (state.isReady === 'no changes') {
    if (!state.isCatalogueNew) return NOTHING
    await findNoChanges(sources.changes, sources.silver)
  }
  return differencePlan(sources, rollup, state)
}

function anewPlan(sources: GoldSources, rollup: Rollup): Plan {
  const { computation, products } = sources
  const catalogue = { products: products.sql, labels: products.sql }
  const selects = partsOf(sources, rollup).map((events) =>
    finishedSql(computation.dialect, rollup, { totals: totalsSql(rollup, events), ...catalogue }),
  )
  return { replace: 'all', selects, isAnew: true }
}

/** `silver.events` in parts that share no key of a rollup. */
function partsOf(sources: GoldSources, rollup: Rollup): string[] {
  const { computation, events, silver } = sources
  // Categories are few, and one that nobody looked at has a row too: no parts.
  if (rollup.table === 'gold.category_stats') return [events]
  if (!isByDate(rollup)) return keyGroups(sources, Object.values(rollup.key)[0] ?? '')
  return dateBatches(silver.files.values(), 2 * computation.rowsMax).map(
    (dates) => `(SELECT * FROM ${events} WHERE event_date IN (${dateList(dates)}))`,
  )
}

function isByDate({ table }: Rollup): boolean {
  return definitionOf(table).partitionColumns.length > 0
}

async function differencePlan(
  { computation, products, events }: GoldSources,
  rollup: Rollup,
  { snapshot, isCatalogueNew }: GoldState,
): Promise<Plan> {
  await computation.keep('difference', differenceSql(rollup))
  const all = await computation.rows(rollup.table, snapshot)
  const found = isByDate(rollup)
    ? await computation.read('SELECT DISTINCT event_date FROM difference')
    : await computation.read('SELECT 1 AS one FROM difference LIMIT 1')
  if (found.length === 0 && !isCatalogueNew) return NOTHING
  const dates = isByDate(rollup) ? found.map(([date]) => String(date)) : []
  const old = isByDate(rollup) ? `(SELECT * FROM ${all} WHERE event_date IN (${dateList(dates)}))` : all
  const totals = addedSql(rollup, { old, difference: 'difference', events })
  const labels = isCatalogueNew ? products.sql : labelsSql(old, products.sql)
  const select = finishedSql(computation.dialect, rollup, { totals, products: products.sql, labels })
  return { replace: isByDate(rollup) ? dates : 'all', selects: [select], isAnew: false }
}

/** Names that stand already, and those of products that are new here. */
function labelsSql(old: string, products: string): string {
  return `(SELECT product_id, title, category FROM ${old} UNION ALL SELECT product_id, title, category
    FROM ${products} SEMI JOIN (SELECT product_id FROM difference ANTI JOIN ${old} USING (product_id)) n USING (product_id))`
}

/** `events` in parts that share no key, so that what is held per key and shopper stays bounded. */
function keyGroups({ computation, silver, events }: GoldSources, key: string): string[] {
  const rowCount = [...silver.files.values()].reduce((total, file) => total + rowCountOf(file), 0)
  const count = Math.max(1, Math.ceil(rowCount / (2 * computation.rowsMax)))
  return Array.from({ length: count }, (_, group) =>
    count === 1 ? events : `(SELECT * FROM ${events} WHERE ${inGroup(key, group, count)})`,
  )
}
