import { wholeSilverEvents } from './build-silver-events.ts'
import { planSilverChange } from './change-silver-events.ts'
import type { Computation } from './computation.ts'
import {
  commitDerivation,
  current,
  isMostlyNew,
  type RefinedTable,
  type RefineOptions,
} from './derived-table.ts'
import type { Lake } from './lake.ts'
import { sessionGapOf, statesSessionGap } from './session-gap.ts'
import { changesSince, followedVersion } from './table-changes.ts'

/** Brings `silver.events` up to bronze and the catalogue: by what changed, or anew. */
export async function refineEvents(
  lake: Lake,
  computation: Computation,
  options: RefineOptions = {},
): Promise<RefinedTable> {
  const bronze = await (await lake.table('bronze.events')).snapshot()
  const products = await (await lake.table('silver.products')).snapshot()
  const silver = await (await lake.table('silver.events')).snapshot()
  const isCatalogueNew = followedVersion(silver, 'silver.products') < products.version
  const from = followedVersion(silver, 'bronze.events')
  const isRebuild = options.isRebuild === true || sessionGapOf(silver) !== lake.sessionGapMinutes
  if (from >= bronze.version && !isCatalogueNew && !isRebuild) return current('silver.events')
  options.onTable?.('silver.events')
  const changes = isRebuild ? null : await changesSince(lake, 'bronze.events', from, bronze)
  const sources = { 'bronze.events': bronze.version, 'silver.products': products.version }
  const target = { table: 'silver.events', snapshot: silver, sources } as const
  const gapMinutes = lake.sessionGapMinutes
  if (changes === null || isMostlyNew(changes, bronze, options)) {
    const selects = await wholeSilverEvents(computation, { bronze, products, gapMinutes })
    const states = statesSessionGap(silver, gapMinutes)
    return commitDerivation(computation, { ...target, states, replace: 'all', selects, isAnew: true })
  }
  const inputs = { computation, gapMinutes, bronze, products, silver, changes, isCatalogueNew }
  const plan = await planSilverChange(inputs)
  return commitDerivation(computation, {
    ...target,
    replace: plan.dates,
    selects: plan.hasChanges ? plan.selects : [],
    isAnew: false,
  })
}
