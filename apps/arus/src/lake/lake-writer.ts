import type { EventLog } from '@arus/event-log'
import { ArusError } from '../errors.ts'
import { GROUPS } from '../events/topics.ts'
import type { Decoded } from './bronze-columns.ts'
import {
  BROKEN,
  type LakeTopics,
  type Route,
  routesOf,
  type SortedEntries,
  sortEntry,
} from './bronze-routes.ts'
import { type BronzeTables, bronzeTables } from './bronze-tables.ts'
import type { Lake } from './lake.ts'
import { brokenLabel, positionOf, positionTransactions } from './log-positions.ts'

export interface BronzeCopierOptions {
  readonly log: EventLog
  readonly bronze: BronzeTables
  readonly topics: LakeTopics
  /** Between two looks at the log. Default 5,000. */
  readonly intervalMs?: number
  /** Records of one commit at most. Default 50,000. */
  readonly batchRecords?: number
  /** Told of a round that failed; the next one tries again. */
  readonly onFault?: (error: unknown) => void
}

export interface LakeWriterOptions extends Omit<BronzeCopierOptions, 'bronze'> {
  readonly lake: Lake
}

/** Copies the log into bronze until stopped. */
export interface LakeWriter {
  /** Resolves when everything in the log at the time of the call is in bronze. */
  flush(): Promise<void>
  /** Flushes, then stops. */
  stop(): Promise<void>
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
  return startBronzeCopier({ ...options, bronze: bronzeTables(lake) })
}

/** The same on any tables that keep positions with rows. */
export function startBronzeCopier(options: BronzeCopierOptions): LakeWriter {
  return new LogToBronze(options)
}

class LogToBronze implements LakeWriter {
  readonly #options: BronzeCopierOptions
  readonly #routes: readonly Route[]
  readonly #timer: NodeJS.Timeout
  #round: Promise<void> | null = null
  #isStopped = false

  constructor(options: BronzeCopierOptions) {
    this.#options = options
    this.#routes = routesOf(options.topics)
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
    const sorted: SortedEntries = { decoded: [], broken: [] }
    const { next, readVersion } = await this.#read(route, sorted)
    if (next.size === 0) return false
    // Where another process was first, what it copied is its own to say: the next batch begins after it.
    if (!(await this.#commitBroken(route, sorted.broken, next))) return true
    const { bronze, log } = this.#options
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
      if (offset > endOffset) throw anotherLog(route, partition, { offset, endOffset })
      const batch = await log.read(route.topic, partition, offset, room)
      if (batch.entries.length === 0) continue
      next.set(partition, batch.nextOffset)
      for (const entry of batch.entries) sortEntry(route, partition, entry, into)
    }
    return { next, readVersion: snapshot.version }
  }

  /**
   * Broken entries are written first, in a table with progress of its own: after a crash between the two commits
   * those already there are left out, and partitions that went no further are not stated again. False when another
   * process was first.
   */
  async #commitBroken(
    { topic }: Route,
    broken: readonly Decoded[],
    next: ReadonlyMap<number, number>,
  ): Promise<boolean> {
    if (broken.length === 0) return true
    const { bronze } = this.#options
    const label = brokenLabel(topic)
    const snapshot = await bronze.snapshot('bronze.rejected_events')
    const done = (partition: number) => positionOf(snapshot, label, partition) ?? 0
    const rows = broken.filter(({ partition, offset }) => offset >= done(partition))
    if (rows.length === 0) return true
    const further = new Map([...next].filter(([partition, offset]) => offset > done(partition)))
    const kind = await bronze.append('bronze.rejected_events', {
      mapping: BROKEN,
      rows,
      transactions: positionTransactions(label, further),
      readVersion: snapshot.version,
    })
    return kind === 'committed'
  }
}

/** Offsets begin anew in a log that was put in place of another: what comes would be taken for what is in the lake. */
function anotherLog(
  { topic, table }: Route,
  partition: number,
  { offset, endOffset }: { offset: number; endOffset: number },
): ArusError {
  return new ArusError(
    'INTERNAL',
    `${table} holds ${topic} partition ${partition} up to offset ${offset}, but the log ends at ${endOffset}: this is not the log it was written from. Bring that log back, or move the lake's bronze folder away to begin with this one`,
  )
}
