import type { RefinedTable } from './derived-table.ts'
import { duckdbComputation } from './duckdb-computation.ts'
import type { Lake } from './lake.ts'
import { refineEvents } from './refine-events.ts'
import { GOLD_BY_DATE, GOLD_BY_KEY, type RefineGoldOptions, refineGold } from './refine-gold.ts'
import { refineInteractions } from './refine-interactions.ts'
import { SilverChanges } from './silver-changes.ts'
import { deltaSchema } from './table-definition.ts'
import type { TableName } from './table-names.ts'
import { definitionOf } from './tables/index.ts'

/** Tables that hold nothing that cannot be computed again from bronze and the catalogue. */
export const DERIVED_TABLES: readonly TableName[] = [
  'silver.events',
  'silver.interactions',
  ...GOLD_BY_DATE,
  ...GOLD_BY_KEY,
]

/** What a refinement did, table by table. */
export interface RefineResult {
  readonly tables: readonly RefinedTable[]
}

/**
 * Brings silver and gold up to bronze and the catalogue: each table by what changed in its sources since the version it stands for, which it
 * states itself. Idempotent; after a crash on the way the next call goes on. `gold` limits which gold tables take part.
 */
export async function refine(lake: Lake, options: RefineGoldOptions = {}): Promise<RefineResult> {
  await recreateOutdated(lake)
  const computation = await (options.compute ?? duckdbComputation)(lake)
  try {
    const events = await refineEvents(lake, computation, options)
    const changes = new SilverChanges(computation)
    const interactions = await refineInteractions(lake, changes, options)
    const gold = await refineGold(lake, changes, options)
    return { tables: [events, interactions, ...gold] }
  } finally {
    await computation.close()
  }
}

/** A derived table that an earlier version of Arus made with other columns is made anew. */
async function recreateOutdated(lake: Lake): Promise<void> {
  for (const name of DERIVED_TABLES) {
    const { schema, partitionColumns } = await (await lake.table(name)).snapshot()
    const definition = definitionOf(name)
    const found = schema.fields.map((field) => [field.name, field.type])
    const wanted = deltaSchema(definition).fields.map((field) => [field.name, field.type])
    const isSame =
      JSON.stringify([found, partitionColumns]) === JSON.stringify([wanted, definition.partitionColumns])
    if (!isSame) await lake.recreate(name)
  }
}
