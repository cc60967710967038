import type { EventLog, LogEntry } from '@arus/event-log'
import {
  type BronzeMapping,
  type Decoded,
  EVENTS,
  RECOMMENDATIONS,
  REJECTED_EVENTS,
} from './bronze-columns.ts'
import type { Lake } from './lake.ts'
import { stageRows } from './staged-rows.ts'
import type { TableName } from './table-names.ts'

export interface LakeWriterOptions {
  readonly log: EventLog
  readonly lake: Lake
  readonly topics: { readonly events: string; readonly rejected: string; readonly recommendations: string }
  /** Between two looks at the log. Default 5,000. */
  readonly intervalMs?: number
  /** Records of one commit at most. Default 50,000. */
  readonly batchRecords?: number
  /** Told of a round that failed; the next one tries again. */
  readonly onFault?: (error: unknown) => void
}

/** Copies the log into bronze until stopped. */
export interface LakeWriter {
  /** Resolves when everything in the log at the time of the call is in bronze. */
  flush(): Promise<void>
  /** Flushes, then stops. */
  stop(): Promise<void>
}

/** Consumer group under which the lake's progress shows as lag. */
export const LAKE_GROUP = 'lake'

interface Route {
  readonly topic: string
  readonly table: TableName
  readonly mapping: BronzeMapping
}

/**
 * Follows the log's three topics into `bronze.events`, `bronze.rejected_events` and `bronze.recommendations`.
 *
 * Exactly once: each commit carries, for each partition in it, a `txn` action whose version is the next offset to read. After a crash
 * reading goes on from there, not from the group's offset, which is only shown as lag. An entry that is no record
 * of its topic goes to `bronze.rejected_events` and stops nothing.
 */
export function startLakeWriter(options: LakeWriterOptions): LakeWriter {
  return new LogToBronze(options)
}

class LogToBronze implements LakeWriter {
  readonly #options: LakeWriterOptions
  readonly #routes: readonly Route[]
  readonly #timer: NodeJS.Timeout
  #round: Promise<void> | null = null
  #isStopped = false

  constructor(options: LakeWriterOptions) {
    this.#options = options
    const { events, rejected, recommendations } = options.topics
    this.#routes = [
      { topic: events, table: 'bronze.events', mapping: EVENTS },
      { topic: rejected, table: 'bronze.rejected_events', mapping: REJECTED_EVENTS },
      { topic: recommendations, table: 'bronze.recommendations', mapping: RECOMMENDATIONS },
    ]
    this.#timer = setInterval(() => {
      if (this.#round === null) this.flush().catch((error: unknown) => options.onFault?.(error))
    }, options.intervalMs ?? 5_000)
  }

  async flush(): Promise<void> {
    // A round under way may have looked at the log before this call: only the next one surely has not.
    await this.#round?.catch(() => {})
    this.#round ??= this.#copyAll().finally(() => {
      this.#round = null
    })
    await this.#round
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.flush()
  }

  async #copyAll(): Promise<void> {
    for (const route of this.#routes) {
      while (await this.#copySome(route)) {
        // Until the end of the log, a bounded commit at a time.
      }
    }
  }

  /** Copies one batch; true when there may be more. */
  async #copySome(route: Route): Promise<boolean> {
    const { log, batchRecords = 50_000 } = this.#options
    const positions = await this.#positions(route)
    const decoded: Decoded[] = []
    const broken: Decoded[] = []
    const next = new Map<number, number>()
    for (const [partition, offset] of positions) {
      const room = batchRecords - decoded.length - broken.length
      if (room <= 0) break
      const batch = await log.read(route.topic, partition, offset, room)
      if (batch.entries.length === 0) continue
      next.set(partition, batch.nextOffset)
      for (const entry of batch.entries) sortOut(route, partition, entry, { decoded, broken })
    }
    if (next.size === 0) return false
    await this.#commitBroken(route, broken, next)
    await this.#write(route.table, route.mapping, decoded, transactionsOf(route.topic, next))
    await log.commit(LAKE_GROUP, route.topic, next)
    return true
  }

  /** Where each partition goes on: what bronze says it holds. */
  async #positions({ topic, table }: Route): Promise<Map<number, number>> {
    const { transactions } = await (await this.#options.lake.table(table)).snapshot()
    const { partitions } = await this.#options.log.topic(topic)
    return new Map(
      partitions.map(({ partition, startOffset }) => [
        partition,
        transactions.get(appIdOf(topic, partition))?.version ?? startOffset,
      ]),
    )
  }

  /**
   * Broken entries are written first, in a table with progress of its own: after a crash between the two commits
   * those already there are left out.
   */
  async #commitBroken(
    { topic }: Route,
    broken: readonly Decoded[],
    next: ReadonlyMap<number, number>,
  ): Promise<void> {
    if (broken.length === 0) return
    const label = `${topic}#broken`
    const { transactions } = await (await this.#options.lake.table('bronze.rejected_events')).snapshot()
    const fresh = broken.filter(
      ({ partition, offset }) => offset >= (transactions.get(appIdOf(label, partition))?.version ?? 0),
    )
    if (fresh.length > 0)
      await this.#write('bronze.rejected_events', REJECTED_EVENTS, fresh, transactionsOf(label, next))
  }

  async #write(
    table: TableName,
    { layout, select }: BronzeMapping,
    rows: readonly Decoded[],
    transactions: readonly { readonly appId: string; readonly version: number }[],
  ): Promise<void> {
    const { lake } = this.#options
    const connection = await lake.duckdb.connect()
    try {
      const columns = layout.map(([, , value]) => rows.map(value))
      await stageRows(
        connection,
        'staged',
        layout.map(([name, type]) => [name, type]),
        columns,
      )
      await lake.write(table, select('staged'), { mode: 'append', transactions, connection })
    } finally {
      connection.closeSync()
    }
  }
}

function sortOut(
  { topic, mapping }: Route,
  partition: number,
  { value, offset, timestampMs }: LogEntry,
  into: { readonly decoded: Decoded[]; readonly broken: Decoded[] },
): void {
  const raw = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
  const body = parsed(raw)
  const reason = body === null ? 'the entry is not a JSON object' : mapping.refusal(body)
  const place = { raw, topic, partition, offset, timestampMs }
  if (reason === null && body !== null) into.decoded.push({ body, ...place })
  else into.broken.push({ body: { raw, pointer: '', reason }, ...place })
}

function parsed(raw: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(raw)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

function appIdOf(topic: string, partition: number): string {
  return `arus-lake-${topic}-${partition}`
}

function transactionsOf(topic: string, next: ReadonlyMap<number, number>) {
  return [...next].map(([partition, version]) => ({ appId: appIdOf(topic, partition), version }))
}
