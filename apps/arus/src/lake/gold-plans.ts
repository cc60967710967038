import type { Snapshot } from '@arus/delta'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Derivation } from './derived-table.ts'
import { dateBatches, rowCountOf } from './file-facts.ts'
import { differenceSql, type Rollup, totalsSql, userStatsSql } from './gold-rollups.ts'
import { addedSql, finishedSql } from './gold-tables-sql.ts'
import type { Lake } from './lake.ts'
import { findShopperChanges, findSilverChanges } from './silver-changes.ts'
import { dateList } from './silver-sql.ts'
import { definitionOf } from './tables/index.ts'

/** What gold is computed from, at one version each. */
export interface GoldSources {
  readonly lake: Lake
  readonly connection: DuckDBConnection
  readonly silver: Snapshot
  /** FROM text of `silver.events`. */
  readonly events: string
  readonly products: { readonly sql: string; readonly version: number }
}

/** `changes`: `came`, `went`, `after` and `before` stand in temporary tables. */
export type Readiness = 'anew' | 'changes' | 'no changes'

/** A gold table before the change. */
export interface GoldState {
  readonly snapshot: Snapshot
  readonly isReady: Readiness
  readonly isCatalogueNew: boolean
}

type Plan = Pick<Derivation, 'replace' | 'selects' | 'isAnew'>

const NOTHING: Plan = { replace: [], selects: [], isAnew: false }
/** Rows of silver that one SELECT over everything adds up; with more, keys are taken in groups. */
const GROUP_ROWS_MAX = 4_000_000

/** `gold.user_stats`: rows of shoppers that changed are replaced by what all their events say. */
export async function planUserStats(sources: GoldSources, { snapshot, isReady }: GoldState): Promise<Plan> {
  if (isReady === 'no changes') return NOTHING
  if (isReady === 'anew') {
    return { replace: 'all', selects: keyGroups(sources, 'shopper').map(userStatsSql), isAnew: true }
  }
  const old = await sources.lake.relationOfFiles('gold.user_stats', [...snapshot.files.values()])
  const select = `SELECT * FROM ${old} ANTI JOIN shoppers USING (shopper) UNION ALL BY NAME ${userStatsSql('after')}`
  return { replace: 'all', selects: [select], isAnew: false }
}

/** A table that adds up: by the difference, or anew. */
export async function planRollup(sources: GoldSources, rollup: Rollup, state: GoldState): Promise<Plan> {
  if (state.isReady === 'anew') return anewPlan(sources, rollup)
  if (state.isReady === 'no changes') {
    if (!state.isCatalogueNew) return NOTHING
    await findSilverChanges(sources.lake, sources.connection, { added: [], removed: [] })
    await findShopperChanges(sources.lake, sources.connection, sources.silver)
  }
  return differencePlan(sources, rollup, state)
}

function anewPlan(sources: GoldSources, rollup: Rollup): Plan {
  const catalogue = { products: sources.products.sql, labels: sources.products.sql }
  const selects = partsOf(sources, rollup).map((events) =>
    finishedSql(rollup, totalsSql(rollup, events), catalogue),
  )
  return { replace: 'all', selects, isAnew: true }
}

/** `silver.events` in parts that share no key of a rollup. */
function partsOf(sources: GoldSources, rollup: Rollup): string[] {
  const { events, silver } = sources
  // Categories are few, and one that nobody looked at has a row too: no parts.
  if (rollup.table === 'gold.category_stats') return [events]
  if (!isByDate(rollup)) return keyGroups(sources, Object.values(rollup.key)[0] ?? '')
  return dateBatches(silver.files.values(), GROUP_ROWS_MAX).map(
    (dates) => `(FROM ${events} WHERE event_date IN (${dateList(dates)}))`,
  )
}

function isByDate({ table }: Rollup): boolean {
  return definitionOf(table).partitionColumns.length > 0
}

async function differencePlan(
  { lake, connection, products, events }: GoldSources,
  rollup: Rollup,
  { snapshot, isCatalogueNew }: GoldState,
): Promise<Plan> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE difference AS ${differenceSql(rollup)}`)
  const all = await lake.relationOfFiles(rollup.table, [...snapshot.files.values()])
  const dates = isByDate(rollup)
    ? await textsOf(connection, 'SELECT DISTINCT event_date::VARCHAR FROM difference')
    : []
  const counted = await textsOf(connection, 'SELECT count(*)::VARCHAR FROM difference')
  if (counted[0] === '0' && !isCatalogueNew) return NOTHING
  const old = isByDate(rollup) ? `(FROM ${all} WHERE event_date IN (${dateList(dates)}))` : all
  const totals = addedSql(rollup, { old, difference: 'difference', events })
  const labels = isCatalogueNew ? products.sql : labelsSql(old, products.sql)
  const select = finishedSql(rollup, totals, { products: products.sql, labels })
  return { replace: isByDate(rollup) ? dates : 'all', selects: [select], isAnew: false }
}

/** Names that stand already, and those of products that are new here. */
function labelsSql(old: string, products: string): string {
  return `(SELECT product_id, title, category FROM ${old} UNION ALL SELECT product_id, title, category
    FROM ${products} SEMI JOIN (FROM difference ANTI JOIN ${old} USING (product_id)) USING (product_id))`
}

/** `events` in parts that share no key, so that what is held per key and shopper stays bounded. */
function keyGroups({ silver, events }: GoldSources, key: string): string[] {
  const rowCount = [...silver.files.values()].reduce((total, file) => total + rowCountOf(file), 0)
  const count = Math.max(1, Math.ceil(rowCount / GROUP_ROWS_MAX))
  return Array.from({ length: count }, (_, group) =>
    count === 1 ? events : `(FROM ${events} WHERE hash(${key}) % ${count} = ${group})`,
  )
}

async function textsOf(connection: DuckDBConnection, sql: string): Promise<string[]> {
  return (await connection.runAndReadAll(sql)).getRows().map(([value]) => String(value))
}
