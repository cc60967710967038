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
import { rollupsOf } from './gold-rollups.ts'
import type { Lake } from './lake.ts'
import { findShopperChanges, type SilverChanges } from './silver-changes.ts'
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
  changes: SilverChanges,
  { gold: tables = [...GOLD_BY_DATE, ...GOLD_BY_KEY], ...options }: RefineGoldOptions = {},
): Promise<RefinedTable[]> {
  const { computation } = changes
  const silver = await (await lake.table('silver.events')).snapshot()
  const catalogue = await (await lake.table('silver.products')).snapshot()
  const events = await computation.rows('silver.events', silver)
  const products = {
    sql: await computation.rows('silver.products', catalogue),
    version: catalogue.version,
  }
  const sources: GoldSources = { changes, computation, silver, events, products }
  const refined: RefinedTable[] = []
  for (const [from, group] of await byVersion(lake, tables)) {
    const isReady = await findChanges(lake, sources, { from, options })
    for (const { table, snapshot } of group)
      refined.push(await refineTable(sources, { table, snapshot, isReady }, options))
  }
  return refined
}

export interface RefineGoldOptions extends RefineOptions {
  /** Tables that take part. Default all. */
  readonly gold?: readonly TableName[]
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

/** Keeps the changes since a version, unless computing anew is the way. */
async function findChanges(
  lake: Lake,
  { changes: ofSilver, computation, silver }: GoldSources,
  { from, options }: { readonly from: number; readonly options: RefineOptions },
): Promise<Readiness> {
  if (options.isRebuild) return 'anew'
  if (from >= silver.version) return 'no changes'
  const changes = await changesSince(lake, 'silver.events', from, silver)
  if (changes === null || isMostlyNew(changes, silver, options)) return 'anew'
  const { cameCount, wentCount } = await ofSilver.find(changes)
  if (cameCount + wentCount === 0) return 'no changes'
  if (isTooMuch(cameCount + wentCount, silver, options)) return 'anew'
  await findShopperChanges(computation, silver)
  return 'changes'
}

async function refineTable(
  sources: GoldSources,
  { table, snapshot, isReady }: Target & { readonly isReady: Readiness },
  options: RefineOptions,
): Promise<RefinedTable> {
  const { computation, silver, products } = sources
  const rollup = rollupsOf(computation.dialect).find((candidate) => candidate.table === table)
  const namesProducts = table === 'gold.product_stats' || table === 'gold.category_stats'
  const isCatalogueNew = namesProducts && followedVersion(snapshot, 'silver.products') < products.version
  const isCurrent = followedVersion(snapshot, 'silver.events') >= silver.version && !isCatalogueNew
  if (isCurrent && !options.isRebuild) return current(table)
  options.onTable?.(table)
  const state = { snapshot, isReady, isCatalogueNew }
  const plan =
    rollup === undefined ? await planUserStats(sources, state) : await planRollup(sources, rollup, state)
  return commitDerivation(computation, {
    table,
    snapshot,
    sources: {
      'silver.events': silver.version,
      ...(namesProducts ? { 'silver.products': products.version } : {}),
    },
    ...plan,
  })
}
