import type { AddFile, Snapshot } from '@arus/delta'
import { ArusError } from '../errors.ts'
import type { Decoded } from './bronze-columns.ts'
import type { BronzeRows, BronzeTables } from './bronze-tables.ts'
import type { Lake } from './lake.ts'
import { type LogPosition, positionsAmong, positionsIn } from './log-positions.ts'
import type { TableName } from './table-names.ts'

/** Spark's sink commits the number of a batch under the id of its stream, a UUID. */
const STREAM_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Of a stream that was ended: it takes every batch for one that was written before, and its commits conflict with this one. */
const ENDED = Number.MAX_SAFE_INTEGER
const ATTEMPTS_MAX = 20
/** What tells a row from one of another topic at the same place. */
const IDENTITIES: Partial<Record<TableName, string>> = {
  'bronze.events': 'event_id',
  'bronze.rejected_events': 'log_topic',
  'bronze.recommendations': 'recommendation_id',
}

/** Streams that have written a table. */
interface Streams {
  /** Ids of those that may write on. */
  readonly open: readonly string[]
  readonly endedCount: number
}

export function streamsIn({ transactions }: Pick<Snapshot, 'transactions'>): Streams {
  const all = [...transactions.values()].filter(({ appId }) => STREAM_ID.test(appId))
  const open = all.filter(({ version }) => !hasEnded(version))
  return { open: open.map(({ appId }) => appId), endedCount: all.length - open.length }
}

/** The batch of a stream stands for its end. */
export function hasEnded(batch: number): boolean {
  return batch >= ENDED
}

/**
 * The tables, for who copies the log from the positions on that bronze states. Streams of Spark commit rows beyond them, and state
 * the positions after it: all streams are ended first, so that none writes any more, even one on a server that nobody
 * reaches, and what they have written is left out.
 */
export function afterStreams(lake: Lake, bronze: BronzeTables): BronzeTables {
  const streamed = new StreamedRows(lake)
  return {
    snapshot: (table) => bronze.snapshot(table),
    append: async (table, rows) =>
      bronze.append(table, { ...rows, rows: await streamed.without(table, rows) }),
  }
}

class StreamedRows {
  readonly #lake: Lake
  readonly #there = new Map<string, Promise<ReadonlySet<string>>>()

  constructor(lake: Lake) {
    this.#lake = lake
  }

  /** Those of the rows, all of one topic, that the table does not have. */
  async without(table: TableName, { rows, transactions }: BronzeRows): Promise<readonly Decoded[]> {
    const topic = positionsAmong(transactions)[0]?.topic
    // Entries that are no records are not written by streams.
    if (topic === undefined) return rows
    const key = `${table}/${topic}`
    const looking = this.#there.get(key) ?? this.#look(table, topic)
    this.#there.set(key, looking)
    looking.catch(() => this.#there.delete(key))
    const there = await looking
    if (there.size === 0) return rows
    const identity = IDENTITIES[table] ?? ''
    return rows.filter(
      ({ partition, offset, body }) =>
        !there.has(keyOf(partition, offset, identity === 'log_topic' ? topic : body[identity])),
    )
  }

  async #look(table: TableName, topic: string): Promise<ReadonlySet<string>> {
    const snapshot = await endStreams(this.#lake, table)
    if (streamsIn(snapshot).endedCount === 0) return new Set()
    return rowsBeyond(this.#lake, { table, topic }, snapshot)
  }
}

/** Places of a table's rows of a topic that stand beyond the positions it states. */
export async function rowsBeyond(
  lake: Lake,
  { table, topic }: { readonly table: TableName; readonly topic: string },
  snapshot: Snapshot,
): Promise<ReadonlySet<string>> {
  const positions = positionsIn(snapshot).filter((position) => position.topic === topic)
  const files = [...snapshot.files.values()].filter((file) => mayHoldBeyond(file, positions))
  if (files.length === 0) return new Set()
  const identity = IDENTITIES[table] ?? ''
  const isOfTopic = identity === 'log_topic' ? `log_topic = '${topic.replaceAll("'", "''")}'` : 'true'
  const cases = positions.map(({ partition, offset }) => `WHEN ${partition} THEN ${offset}`).join(' ')
  const until = cases === '' ? '0' : `CASE log_partition ${cases} ELSE 0 END`
  const connection = await lake.duckdb.connect()
  try {
    const found = await connection.runAndReadAll(
      `SELECT log_partition, log_offset, ${identity} FROM ${await lake.relationOfFiles(table, files)}
        WHERE log_offset >= ${until} AND ${isOfTopic}`,
    )
    const rows = found.getRows()
    return new Set(
      rows.map(([partition, offset, identified]) => keyOf(Number(partition), Number(offset), identified)),
    )
  } finally {
    connection.closeSync()
  }
}

/** Ends every stream that has written a table; the version in which none of them may write any more. */
export async function endStreams(lake: Lake, table: TableName): Promise<Snapshot> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const snapshot = await (await lake.table(table)).snapshot()
    const { open } = streamsIn(snapshot)
    if (open.length === 0) return snapshot
    const transactions = open.map((appId) => ({ appId, version: ENDED }))
    await lake.write(table, [], { mode: 'append', transactions, transactionsReadAt: snapshot.version })
  }
  throw new ArusError(
    'INTERNAL',
    `A stream of Spark writes ${table} again and again; stop it, or set SPARK_REMOTE to let Spark go on`,
  )
}

/** False when a file's statistics say that all of its rows stand before the positions. */
function mayHoldBeyond({ stats }: AddFile, positions: readonly LogPosition[]): boolean {
  const facts = (stats ? JSON.parse(stats) : {}) as { maxValues?: { log_offset?: number } }
  const least = Math.min(...positions.map(({ offset }) => offset))
  return positions.length === 0 || (facts.maxValues?.log_offset ?? least) >= least
}

function keyOf(partition: number, offset: number, identity: unknown): string {
  return `${partition}/${offset}/${String(identity)}`
}
