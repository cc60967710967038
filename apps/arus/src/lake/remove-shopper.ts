import { createHash } from 'node:crypto'
import type { AddFile, Snapshot } from '@arus/delta'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { Lake } from './lake.ts'
import { type LogPosition, positionsIn } from './log-positions.ts'
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

export const SHOPPER_PLACES: readonly ShopperPlace[] = [
  { table: 'bronze.events', shopper: SHOPPER, topicColumn: null },
  { table: 'bronze.recommendations', shopper: 'user_id', topicColumn: null },
  {
    table: 'bronze.rejected_events',
    shopper: `CASE WHEN json_valid(raw) THEN coalesce(raw ->> '$.user_id', raw ->> '$.anonymous_id', raw ->> '$.session_id') END`,
    topicColumn: 'log_topic',
  },
]

const ATTEMPTS_MAX = 20
/** Files rewritten at once: what was done stays done when a later one fails. */
const FILES_MAX = 64
/** Files looked into by one query. */
const FILES_ASKED_MAX = 100

/**
 * Removes what bronze holds of a shopper now (events, recommendations, rejected events) by writing the files anew that hold it; the next refinement removes
 * them from silver and gold. Returns the rows removed by table. What is appended meanwhile stays. The files they stood in can be read as
 * older versions until they are vacuumed.
 *
 * `bronze.removed_shoppers` keeps a hash of who it was and up to which offsets, so that a rebuild from the log brings nothing back.
 */
export async function removeShopper(
  lake: Lake,
  shopper: string,
  now: () => number = Date.now,
): Promise<Readonly<Record<string, number>>> {
  const connection = await lake.duckdb.connect()
  try {
    await stageRows(connection, 'theirs', [['shopper', 'text']], [[shopper]])
    const removed: Record<string, number> = {}
    const positions = await Promise.all(
      SHOPPER_PLACES.map(async ({ table }) => positionsIn(await (await lake.table(table)).snapshot())),
    )
    await remember(lake, connection, { shopper, positions: positions.flat(), nowMs: now() })
    for (const [i, place] of SHOPPER_PLACES.entries()) {
      // Rejected events come from every topic.
      const until = place.topicColumn === null ? (positions[i] ?? []) : positions.flat()
      removed[place.table] = await removeFrom(lake, connection, { place, until })
    }
    return removed
  } finally {
    connection.closeSync()
  }
}

async function remember(
  lake: Lake,
  connection: DuckDBConnection,
  { shopper, positions, nowMs }: { shopper: string; positions: readonly LogPosition[]; nowMs: number },
): Promise<void> {
  if (positions.length === 0) return
  const hash = createHash('sha256').update(shopper).digest('hex')
  await stageRows(
    connection,
    'removal',
    [
      ['shopper_hash', 'text'],
      ['log_topic', 'text'],
      ['log_partition', 'integer'],
      ['log_offset', 'integer'],
      ['removed_at', 'integer'],
    ],
    [
      positions.map(() => hash),
      positions.map(({ topic }) => topic),
      positions.map(({ partition }) => partition),
      positions.map(({ offset }) => offset),
      positions.map(() => nowMs),
    ],
  )
  await lake.write(
    'bronze.removed_shoppers',
    'SELECT * REPLACE (make_timestamp(removed_at * 1000)::TIMESTAMPTZ AS removed_at) FROM removal',
    { mode: 'append', connection },
  )
}

interface Removal {
  readonly place: ShopperPlace
  readonly until: readonly LogPosition[]
}

async function removeFrom(lake: Lake, connection: DuckDBConnection, removal: Removal): Promise<number> {
  let total = 0
  for (let attempt = 0; attempt < ATTEMPTS_MAX; ) {
    const removed = await removeSome(lake, connection, removal)
    if (removed === 0) return total
    if (removed === null) attempt += 1
    else total += removed
  }
  throw new ArusError(
    'INTERNAL',
    `${removal.place.table} changed ${ATTEMPTS_MAX} times while rows were being removed; try again`,
  )
}

/** Removes from some files; 0 when no file holds any more, null when another writer replaced one of them first. */
async function removeSome(
  lake: Lake,
  connection: DuckDBConnection,
  { place: { table, shopper, topicColumn }, until }: Removal,
): Promise<number | null> {
  const snapshot = await (await lake.table(table)).snapshot()
  const isTheirs = `coalesce(${shopper} IN (FROM theirs) AND ${isBelow(until, topicColumn)}, false)`
  const holding = await filesHolding(lake, connection, { table, snapshot, isTheirs })
  const files = holding.slice(0, FILES_MAX)
  if (files.length === 0) return 0
  const rows = await lake.relationOfFiles(
    table,
    files.map(({ file }) => file),
  )
  const { kind } = await lake.write(table, `SELECT * FROM ${rows} WHERE NOT ${isTheirs}`, {
    mode: 'overwrite',
    files: files.map(({ file }) => file),
    operation: 'DELETE',
    connection,
  })
  return kind === 'conflict' ? null : files.reduce((total, { count }) => total + count, 0)
}

/** Files with rows to remove, and how many each has. */
async function filesHolding(
  lake: Lake,
  connection: DuckDBConnection,
  { table, snapshot, isTheirs }: { table: TableName; snapshot: Snapshot; isTheirs: string },
): Promise<{ readonly file: AddFile; readonly count: number }[]> {
  const files = [...snapshot.files.values()]
  const found: { file: AddFile; count: number }[] = []
  for (let from = 0; from < files.length; from += FILES_ASKED_MAX) {
    const asked = files.slice(from, from + FILES_ASKED_MAX)
    const selects = await Promise.all(
      asked.map(
        async (file, i) =>
          `SELECT ${i} AS n FROM ${await lake.relationOfFiles(table, [file])} WHERE ${isTheirs}`,
      ),
    )
    const counts = await connection.runAndReadAll(
      `SELECT n, count(*)::INTEGER FROM (${selects.join(' UNION ALL ')}) GROUP BY n ORDER BY n`,
    )
    for (const [n, count] of counts.getRows()) {
      const file = asked[Number(n)]
      if (file !== undefined) found.push({ file, count: Number(count) })
    }
  }
  return found
}

/** Condition: the row stands before the given positions of the log. A row whose place nobody states is not spared. */
function isBelow(until: readonly LogPosition[], topicColumn: string | null): string {
  if (until.length === 0) return 'true'
  const cases = until.map(({ topic, partition, offset }) => {
    const isTopic = topicColumn === null ? '' : ` AND ${topicColumn} = '${topic.replaceAll("'", "''")}'`
    return `WHEN log_partition = ${partition}${isTopic} THEN log_offset < ${offset}`
  })
  return `coalesce(CASE ${cases.join(' ')} ELSE true END, true)`
}
