import type { EventLog, PartitionInfo } from '@arus/event-log'
import { GROUPS } from '../events/topics.ts'
import { appendBroken } from './append-broken.ts'
import { type LakeTopics, type Route, routesOf, type SortedEntries, sortEntry } from './bronze-routes.ts'
import { type BronzeTables, bronzeTables } from './bronze-tables.ts'
import { type LakeWriter, type RoundOptions, startCopyRounds } from './copy-rounds.ts'
import type { Lake } from './lake.ts'
import { anotherLog, positionOf, positionTransactions } from './log-positions.ts'
import { afterStreams } from './streamed-rows.ts'

export type { LakeWriter } from './copy-rounds.ts'

export interface BronzeCopierOptions extends RoundOptions {
  readonly log: EventLog
  readonly bronze: BronzeTables
  readonly topics: LakeTopics
  /** Records of one commit at most. Default 50,000. */
  readonly batchRecords?: number
}

export interface LakeWriterOptions extends Omit<BronzeCopierOptions, 'bronze'> {
  readonly lake: Lake
}

/** Consumer group under which the lake's progress shows as lag. */
export const LAKE_GROUP = GROUPS.lake

/**
 * Follows the log's three topics into `bronze.events`, `bronze.rejected_events` and `bronze.recommendations`.
 *
 * Exactly once: each commit carries, for each partition in it, a `txn` action whose version is the next offset to read, and is
 * made only while none of these has moved: a process that outlived its server may still be copying. After a crash
 * reading goes on from there, not from the group's offset, which is only shown as lag. An entry that is no record
 * of its topic goes to `bronze.rejected_events` and stops nothing.
 */
export function startLakeWriter({ lake, ...options }: LakeWriterOptions): LakeWriter {
  return startBronzeCopier({ ...options, bronze: afterStreams(lake, bronzeTables(lake)) })
}

/** The same on any tables that keep positions with rows. */
export function startBronzeCopier(options: BronzeCopierOptions): LakeWriter {
  const copier = new LogToBronze(options)
  return startCopyRounds(() => copier.copyAll(), options)
}

class LogToBronze {
  readonly #options: BronzeCopierOptions
  readonly #routes: readonly Route[]

  constructor(options: BronzeCopierOptions) {
    this.#options = options
    this.#routes = routesOf(options.topics)
  }

  async copyAll(): Promise<void> {
    for (const route of this.#routes) {
      const { partitions } = await this.#options.log.topic(route.topic)
      // A bounded commit at a time, up to what is the end now: what comes meanwhile would keep it from ending.
      while ((await this.#copySome(route)) && !(await this.#isCopied(route, partitions))) {}
    }
  }

  async #isCopied({ table, topic }: Route, partitions: readonly PartitionInfo[]): Promise<boolean> {
    const snapshot = await this.#options.bronze.snapshot(table)
    return partitions.every(
      ({ partition, startOffset, endOffset }) =>
        (positionOf(snapshot, topic, partition) ?? startOffset) >= endOffset,
    )
  }

  /** Copies one batch; true when there may be more. */
  async #copySome(route: Route): Promise<boolean> {
    const sorted: SortedEntries = { decoded: [], broken: [] }
    const { next, readVersion } = await this.#read(route, sorted)
    if (next.size === 0) return false
    // Where another process was first, what it copied is its own to say: the next batch begins after it.
    const { bronze, log } = this.#options
    if (!(await appendBroken(bronze, route, { broken: sorted.broken, next }))) return true
    const kind = await bronze.append(route.table, {
      mapping: route.mapping,
      rows: sorted.decoded,
      transactions: positionTransactions(route.topic, next),
      readVersion,
    })
    if (kind === 'committed') await log.commit(LAKE_GROUP, route.topic, next)
    return true
  }

  /** Reads from where bronze says it is; tells where each partition that had anything goes on. */
  async #read(route: Route, into: SortedEntries) {
    const { log, bronze, batchRecords = 50_000 } = this.#options
    const snapshot = await bronze.snapshot(route.table)
    const { partitions } = await log.topic(route.topic)
    const next = new Map<number, number>()
    for (const { partition, startOffset, endOffset } of partitions) {
      const room = batchRecords - into.decoded.length - into.broken.length
      if (room <= 0) break
      const offset = positionOf(snapshot, route.topic, partition) ?? startOffset
      if (offset > endOffset)
        throw anotherLog(route.table, { topic: route.topic, partition, offset }, endOffset)
      const batch = await log.read(route.topic, partition, offset, room)
      if (batch.entries.length === 0) continue
      next.set(partition, batch.nextOffset)
      for (const entry of batch.entries) sortEntry(route, partition, entry, into)
    }
    return { next, readVersion: snapshot.version }
  }
}
