import { wholeSilverEvents } from './build-silver-events.ts'
import { planSilverChange } from './change-silver-events.ts'
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
export async function refineEvents(lake: Lake, options: RefineOptions = {}): Promise<RefinedTable> {
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
  const connection = await lake.duckdb.connect()
  try {
    if (changes === null || isMostlyNew(changes, bronze, options)) {
      const selects = await wholeSilverEvents(lake, connection, bronze)
      const states = statesSessionGap(silver, lake.sessionGapMinutes)
      return await commitDerivation(lake, connection, {
        ...target,
        states,
        replace: 'all',
        selects,
        isAnew: true,
      })
    }
    const plan = await planSilverChange({ lake, connection, bronze, silver, changes, isCatalogueNew })
    return await commitDerivation(lake, connection, {
      ...target,
      replace: plan.dates,
      selects: plan.hasChanges ? plan.selects : [],
      isAnew: false,
    })
  } finally {
    connection.closeSync()
  }
}
