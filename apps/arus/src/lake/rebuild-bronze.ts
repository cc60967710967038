import type { EventLog } from '@arus/event-log'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'
import type { OnProgress } from '../progress.ts'
import type { BronzeMapping, Decoded } from './bronze-columns.ts'
import {
  BROKEN,
  type LakeTopics,
  type Route,
  routesOf,
  type SortedEntries,
  sortEntry,
  stageDecoded,
} from './bronze-routes.ts'
import type { Lake } from './lake.ts'
import { positionOf } from './log-positions.ts'
import { removalsSql } from './removals.ts'
import type { TableName } from './table-names.ts'
import { SHOPPER_PLACES } from './their-rows.ts'

export interface RebuildBronzeOptions {
  readonly lake: Lake
  readonly log: EventLog
  readonly topics: LakeTopics
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/** Part of a partition that the log still has and bronze says it holds. */
interface Range {
  readonly route: Route
  readonly partition: number
  readonly from: number
  readonly to: number
}

const BATCH_RECORDS = 50_000

/**
 * Writes the bronze tables of events, rejected events and recommendations anew from the log, one atomic commit each. What the log no longer has is kept as it
 * stands; shoppers that were removed stay removed. How far the log was copied does not change. Nothing else may write bronze meanwhile.
 */
export async function rebuildBronze(options: RebuildBronzeOptions): Promise<void> {
  const { lake } = options
  const routes = routesOf(options.topics)
  const ranges = (await Promise.all(routes.map((route) => rangesOf(options, route)))).flat()
  const connection = await lake.duckdb.connect()
  try {
    await stageRemovals(lake, connection)
    for (const { table } of routes) await rebuildTable(options, connection, { table, ranges })
  } finally {
    connection.closeSync()
  }
}

async function rangesOf({ lake, log }: RebuildBronzeOptions, route: Route): Promise<Range[]> {
  const snapshot = await (await lake.table(route.table)).snapshot()
  const { partitions } = await log.topic(route.topic)
  return partitions.map(({ partition, startOffset, endOffset }) => ({
    route,
    partition,
    from: startOffset,
    to: Math.min(positionOf(snapshot, route.topic, partition) ?? 0, endOffset),
  }))
}

async function rebuildTable(
  options: RebuildBronzeOptions,
  connection: DuckDBConnection,
  { table, ranges }: { readonly table: TableName; readonly ranges: readonly Range[] },
): Promise<void> {
  const { lake } = options
  // Entries that are no records of their topic are rejected events too.
  const isRejected = table === 'bronze.rejected_events'
  const read = ranges.filter(({ route, from, to }) => to > from && (isRejected || route.table === table))
  const snapshot = await (await lake.table(table)).snapshot()
  async function* selects(): AsyncGenerator<string> {
    const standing = await lake.relationOfFiles(table, [...snapshot.files.values()])
    yield `SELECT * FROM ${standing} WHERE NOT ${isReadAgain(read, isRejected)}`
    for (const range of read) yield* selectsOf(options, connection, { range, table })
  }
  const { kind } = await lake.write(table, selects(), {
    mode: 'overwrite',
    readVersion: snapshot.version,
    connection,
    operation: 'REBUILD',
  })
  if (kind !== 'conflict') return
  throw new ArusError(
    'INTERNAL',
    `${table} was written while it was being rebuilt; stop what writes it, then try again`,
  )
}

/** Rows of one range that belong to a table, batch by batch. */
async function* selectsOf(
  { log, onProgress, signal }: RebuildBronzeOptions,
  connection: DuckDBConnection,
  { range, table }: { readonly range: Range; readonly table: TableName },
): AsyncGenerator<string> {
  const { route, partition, from, to } = range
  let offset = from
  while (offset < to) {
    signal?.throwIfAborted()
    const batch = await log.read(route.topic, partition, offset, BATCH_RECORDS)
    const entries = batch.entries.filter((entry) => entry.offset < to)
    if (entries.length === 0) return
    const sorted: SortedEntries = { decoded: [], broken: [] }
    for (const entry of entries) sortEntry(route, partition, entry, sorted)
    if (route.table === table)
      yield await kept(connection, route, { mapping: route.mapping, rows: sorted.decoded, table })
    if (table === 'bronze.rejected_events')
      yield await kept(connection, route, { mapping: BROKEN, rows: sorted.broken, table })
    offset = batch.nextOffset
    onProgress?.({
      step: `Rebuilding ${table} from ${route.topic} partition ${partition}`,
      done: Math.min(offset, to) - from,
      total: to - from,
      unit: 'entries',
    })
  }
}

interface Batch {
  readonly mapping: BronzeMapping
  readonly rows: readonly Decoded[]
  readonly table: TableName
}

/** Without what was removed of a shopper. */
async function kept(
  connection: DuckDBConnection,
  { topic }: Route,
  { mapping, rows, table }: Batch,
): Promise<string> {
  const select = await stageDecoded(connection, mapping, rows)
  const shopper = SHOPPER_PLACES.find((place) => place.table === table)?.shopper ?? 'NULL'
  return `SELECT s.* EXCLUDE shopper_hash FROM (SELECT *, sha256(${shopper}) AS shopper_hash FROM (${select})) s
      LEFT JOIN (SELECT shopper_hash, log_partition, log_offset AS until FROM removals WHERE log_topic = '${topic.replaceAll("'", "''")}') r
        ON r.shopper_hash = s.shopper_hash AND r.log_partition = s.log_partition
    WHERE NOT coalesce(s.log_offset < r.until, false)`
}

/** `removals`: up to where each removed shopper is left out. */
async function stageRemovals(lake: Lake, connection: DuckDBConnection): Promise<void> {
  const { sql } = await lake.relation('bronze.removed_shoppers')
  await connection.run(`CREATE OR REPLACE TEMP TABLE removals AS ${removalsSql(sql)}`)
}

/** Condition: the row will come out of the log again. */
function isReadAgain(ranges: readonly Range[], hasTopic: boolean): string {
  if (ranges.length === 0) return 'false'
  const conditions = ranges.map(({ route, partition, from, to }) => {
    const isTopic = hasTopic ? ` AND log_topic = '${route.topic.replaceAll("'", "''")}'` : ''
    return `(log_partition = ${partition} AND log_offset >= ${from} AND log_offset < ${to}${isTopic})`
  })
  return `coalesce(${conditions.join(' OR ')}, false)`
}
