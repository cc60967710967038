import { createHash } from 'node:crypto'
import type { AddFile, Snapshot } from '@arus/delta'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { Lake } from './lake.ts'
import { type LogPosition, positionsIn } from './log-positions.ts'
import { stageRows } from './staged-rows.ts'
import type { TableName } from './table-names.ts'
import { isTheirs, SHOPPER_PLACES, type ShopperPlace, stageTheirs } from './their-rows.ts'

const ATTEMPTS_MAX = 20
/** Files rewritten at once: what was done stays done when a later one fails. */
const FILES_MAX = 64
/** Files looked into by one query. */
const FILES_ASKED_MAX = 100

/**
 * Removes what bronze holds of a person now, under any of their names (events, recommendations, rejected events), by writing the files anew that hold it; the next refinement removes
 * them from silver and gold. Returns the rows removed by table. What is appended meanwhile stays. The files they stood in can be read as
 * older versions until they are vacuumed.
 *
 * `bronze.removed_shoppers` keeps a hash of who it was and up to which offsets, so that a rebuild from the log brings nothing back.
 */
export async function removeShopper(
  lake: Lake,
  names: readonly string[],
  now: () => number = Date.now,
): Promise<Readonly<Record<string, number>>> {
  const connection = await lake.duckdb.connect()
  try {
    await stageTheirs(lake, connection, names)
    const removed: Record<string, number> = {}
    const positions = await Promise.all(
      SHOPPER_PLACES.map(async ({ table }) => positionsIn(await (await lake.table(table)).snapshot())),
    )
    await remember(lake, connection, { names, positions: positions.flat(), nowMs: now() })
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
  {
    names,
    positions,
    nowMs,
  }: {
    readonly names: readonly string[]
    readonly positions: readonly LogPosition[]
    readonly nowMs: number
  },
): Promise<void> {
  if (positions.length === 0) return
  const rows = names.flatMap((name) => {
    const hash = createHash('sha256').update(name).digest('hex')
    return positions.map((position) => ({ hash, ...position }))
  })
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
      rows.map(({ hash }) => hash),
      rows.map(({ topic }) => topic),
      rows.map(({ partition }) => partition),
      rows.map(({ offset }) => offset),
      rows.map(() => nowMs),
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
  { place, until }: Removal,
): Promise<number | null> {
  const { table } = place
  const snapshot = await (await lake.table(table)).snapshot()
  const isGoing = `coalesce(${isTheirs(place)} AND ${isBelow(until, place.topicColumn)}, false)`
  const holding = await filesHolding(lake, connection, { table, snapshot, isGoing })
  const files = holding.slice(0, FILES_MAX)
  if (files.length === 0) return 0
  const rows = await lake.relationOfFiles(
    table,
    files.map(({ file }) => file),
  )
  const { kind } = await lake.write(table, `SELECT * FROM ${rows} WHERE NOT ${isGoing}`, {
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
  { table, snapshot, isGoing }: { table: TableName; snapshot: Snapshot; isGoing: string },
): Promise<{ readonly file: AddFile; readonly count: number }[]> {
  const files = [...snapshot.files.values()]
  const found: { file: AddFile; count: number }[] = []
  for (let from = 0; from < files.length; from += FILES_ASKED_MAX) {
    const asked = files.slice(from, from + FILES_ASKED_MAX)
    const selects = await Promise.all(
      asked.map(
        async (file, i) =>
          `SELECT ${i} AS n FROM ${await lake.relationOfFiles(table, [file])} WHERE ${isGoing}`,
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
