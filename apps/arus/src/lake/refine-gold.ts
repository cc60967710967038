import type { Snapshot } from '@arus/delta'
import {
  commitDerivation,
  current,
  isMostlyNew,
  isTooMuch,
  type RefinedTable,
  type RefineOptions,
} from './derived-table.ts'
import { type GoldSources, planRollup, planUserStats, type Readiness } from './gold-plans.ts'
import { ROLLUPS } from './gold-rollups.ts'
import type { Lake } from './lake.ts'
import { findShopperChanges, findSilverChanges } from './silver-changes.ts'
import { changesSince, followedVersion } from './table-changes.ts'
import type { TableName } from './table-names.ts'

/** Gold by date: little is written when a day changes. */
export const GOLD_BY_DATE: readonly TableName[] = ['gold.hourly_activity', 'gold.daily_funnel']
/** Gold over all time, by product, category and shopper: such a table is written whole when any of its rows changes. */
export const GOLD_BY_KEY: readonly TableName[] = [
  'gold.product_stats',
  'gold.category_stats',
  'gold.user_stats',
]

/** Brings gold tables up to `silver.events` and the catalogue: by the shoppers whose events changed, or anew. */
export async function refineGold(
  lake: Lake,
  tables: readonly TableName[] = [...GOLD_BY_DATE, ...GOLD_BY_KEY],
  options: RefineOptions = {},
): Promise<RefinedTable[]> {
  const silver = await (await lake.table('silver.events')).snapshot()
  const connection = await lake.duckdb.connect()
  try {
    const events = await lake.relationOfFiles('silver.events', [...silver.files.values()])
    const products = await lake.relation('silver.products')
    const sources: GoldSources = { lake, connection, silver, events, products }
    const refined: RefinedTable[] = []
    for (const [from, group] of await byVersion(lake, tables)) {
      const isReady = await findChanges(sources, from, options)
      for (const { table, snapshot } of group)
        refined.push(await refineTable(sources, { table, snapshot, isReady }, options))
    }
    return refined
  } finally {
    connection.closeSync()
  }
}

interface Target {
  readonly table: TableName
  readonly snapshot: Snapshot
}

/** Tables by the version of silver they stand for: one, except after a crash between two of them. */
async function byVersion(lake: Lake, tables: readonly TableName[]): Promise<Map<number, Target[]>> {
  const groups = new Map<number, Target[]>()
  for (const table of tables) {
    const snapshot = await (await lake.table(table)).snapshot()
    const from = followedVersion(snapshot, 'silver.events')
    groups.set(from, [...(groups.get(from) ?? []), { table, snapshot }])
  }
  return groups
}

/** Puts the changes since a version into temporary tables, unless computing anew is the way. */
async function findChanges(
  { lake, connection, silver }: GoldSources,
  from: number,
  options: RefineOptions,
): Promise<Readiness> {
  if (options.isRebuild) return 'anew'
  if (from >= silver.version) return 'no changes'
  const changes = await changesSince(lake, 'silver.events', from, silver)
  if (changes === null || isMostlyNew(changes, silver, options)) return 'anew'
  const { cameCount, wentCount } = await findSilverChanges(lake, connection, changes)
  if (cameCount + wentCount === 0) return 'no changes'
  if (isTooMuch(cameCount + wentCount, silver, options)) return 'anew'
  await findShopperChanges(lake, connection, silver)
  return 'changes'
}

async function refineTable(
  sources: GoldSources,
  { table, snapshot, isReady }: Target & { readonly isReady: Readiness },
  options: RefineOptions,
): Promise<RefinedTable> {
  const { lake, connection, silver, products } = sources
  const rollup = ROLLUPS.find((candidate) => candidate.table === table)
  const namesProducts = table === 'gold.product_stats' || table === 'gold.category_stats'
  const isCatalogueNew = namesProducts && followedVersion(snapshot, 'silver.products') < products.version
  const isCurrent = followedVersion(snapshot, 'silver.events') >= silver.version && !isCatalogueNew
  if (isCurrent && !options.isRebuild) return current(table)
  options.onTable?.(table)
  const state = { snapshot, isReady, isCatalogueNew }
  const plan =
    rollup === undefined ? await planUserStats(sources, state) : await planRollup(sources, rollup, state)
  return commitDerivation(lake, connection, {
    table,
    snapshot,
    sources: {
      'silver.events': silver.version,
      ...(namesProducts ? { 'silver.products': products.version } : {}),
    },
    ...plan,
  })
}
