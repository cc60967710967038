import type { DuckDBConnection } from '@duckdb/node-api'
import { mentionOf } from '../events/shopper-names.ts'
import type { Lake } from './lake.ts'
import { SHOPPER } from './silver-sql.ts'
import { stageRows } from './staged-rows.ts'
import type { TableName } from './table-names.ts'

/** A bronze table with rows of shoppers: whose a row is, and from which topic it came. */
export interface ShopperPlace {
  readonly table: TableName
  readonly shopper: string
  /** Null where the table holds one topic only. */
  readonly topicColumn: string | null
}

/** Every bronze table with rows of shoppers. */
export const SHOPPER_PLACES: readonly ShopperPlace[] = [
  { table: 'bronze.events', shopper: SHOPPER, topicColumn: null },
  {
    table: 'bronze.recommendations',
    shopper: `coalesce(user_id, CASE WHEN json_valid(passport) THEN passport ->> '$.session_id' END)`,
    topicColumn: null,
  },
  {
    table: 'bronze.rejected_events',
    shopper: `CASE WHEN json_valid(raw) THEN coalesce(raw ->> '$.user_id', raw ->> '$.anonymous_id', raw ->> '$.session_id') END`,
    topicColumn: 'log_topic',
  },
]

const REFUSAL_PLACE = `concat_ws('/', log_topic, log_partition, log_offset)`

/** Derived tables with rows of shoppers, in their column `shopper`. */
const DERIVED = ['silver.events', 'silver.interactions', 'gold.user_stats'] as const

/**
 * Puts a person's names into a temporary table `theirs`, and the places of refused events that speak of them into
 * `their_refusals`: what `isTheirs` asks for.
 */
export async function stageTheirs(
  lake: Lake,
  connection: DuckDBConnection,
  names: readonly string[],
): Promise<void> {
  await stageRows(connection, 'theirs', [['shopper', 'text']], [[...names]])
  const isMentioned = mentionOf(names)
  const { sql } = await lake.relation('bronze.rejected_events')
  const places: string[] = []
  const rows = await connection.stream(`SELECT ${REFUSAL_PLACE}, raw FROM ${sql}`)
  for await (const chunk of rows) {
    for (const [place, raw] of chunk.getRows()) if (isMentioned(String(raw))) places.push(String(place))
  }
  await stageRows(connection, 'their_refusals', [['place', 'text']], [places])
}

/** Condition, after `stageTheirs` on the same connection: the row is theirs. */
export function isTheirs({ table, shopper }: ShopperPlace): string {
  const isOfName = `${shopper} IN (FROM theirs)`
  if (table !== 'bronze.rejected_events') return isOfName
  return `(coalesce(${isOfName}, false) OR ${REFUSAL_PLACE} IN (FROM their_refusals))`
}

/** Rows of theirs by table, after `stageTheirs` on the same connection. */
export async function countTheirs(lake: Lake, connection: DuckDBConnection): Promise<Record<string, number>> {
  const conditions: [TableName, string][] = [
    ...SHOPPER_PLACES.map((place): [TableName, string] => [place.table, isTheirs(place)]),
    ...DERIVED.map((table): [TableName, string] => [table, 'shopper IN (FROM theirs)']),
  ]
  const counts: Record<string, number> = {}
  for (const [table, condition] of conditions) {
    const { sql } = await lake.relation(table)
    const found = await connection.runAndReadAll(
      `SELECT count(*)::DOUBLE FROM ${sql} WHERE coalesce(${condition}, false)`,
    )
    counts[table] = Number(found.getRows()[0]?.[0] ?? 0)
  }
  return counts
}
