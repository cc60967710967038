import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { Lake } from './lake.ts'
import { stageRows } from './staged-rows.ts'
import type { TableName } from './table-names.ts'

/** Where a shopper's rows stand in bronze: which they are, and by what the table is partitioned. */
interface Place {
  readonly table: TableName
  readonly isTheirs: string
  readonly partition: string | null
}

const ATTEMPTS_MAX = 20
const THEIRS = 'IN (SELECT shopper FROM removed)'

const PLACES: readonly Place[] = [
  {
    table: 'bronze.events',
    isTheirs: `coalesce(user_id, anonymous_id, session_id) ${THEIRS}`,
    partition: 'event_date',
  },
  { table: 'bronze.recommendations', isTheirs: `user_id ${THEIRS}`, partition: 'generated_date' },
  {
    table: 'bronze.rejected_events',
    isTheirs: `CASE WHEN json_valid(raw) THEN coalesce(raw ->> '$.user_id', raw ->> '$.anonymous_id', raw ->> '$.session_id') END ${THEIRS}`,
    partition: null,
  },
]

/**
 * Removes a shopper from bronze (events, recommendations, rejected events) by replacing the partitions they stand in; the
 * next refinement removes them from silver and gold. Returns the rows removed by table. What others append meanwhile
 * stays. The files they stood in can be read as older versions until they are vacuumed.
 */
export async function removeShopper(lake: Lake, shopper: string): Promise<Readonly<Record<string, number>>> {
  const connection = await lake.duckdb.connect()
  try {
    await stageRows(connection, 'removed', [['shopper', 'text']], [[shopper]])
    const removed: Record<string, number> = {}
    for (const place of PLACES) removed[place.table] = await removeFrom(lake, connection, place)
    return removed
  } finally {
    connection.closeSync()
  }
}

async function removeFrom(lake: Lake, connection: DuckDBConnection, place: Place): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const removed = await removeOnce(lake, connection, place)
    if (removed !== null) return removed
  }
  throw new ArusError(
    'INTERNAL',
    `${place.table} changed ${ATTEMPTS_MAX} times while rows were being removed; try again`,
  )
}

/** Null when the table changed meanwhile. */
async function removeOnce(
  lake: Lake,
  connection: DuckDBConnection,
  { table, isTheirs, partition }: Place,
): Promise<number | null> {
  const { sql, version } = await lake.relation(table)
  const found = await connection.runAndReadAll(
    `SELECT CAST(${partition ?? 'NULL'} AS VARCHAR), count(*)::INTEGER FROM ${sql} WHERE ${isTheirs} GROUP BY 1`,
  )
  const dates = found.getRows().map(([date, count]) => ({ date: String(date), count: Number(count) }))
  if (dates.length === 0) return 0
  const list = dates.map(({ date }) => `DATE '${date}'`).join(', ')
  const touched = partition === null ? 'true' : `${partition} IN (${list})`
  const { kind } = await lake.write(
    table,
    `SELECT * FROM ${sql} WHERE ${touched} AND NOT coalesce(${isTheirs}, false)`,
    {
      mode: 'overwrite',
      ...(partition === null ? {} : { partitions: dates.map(({ date }) => ({ [partition]: date })) }),
      readVersion: version,
      connection,
    },
  )
  return kind === 'conflict' ? null : dates.reduce((total, { count }) => total + count, 0)
}
