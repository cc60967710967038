import { eraseEntries, overwriteFreePages } from './erase-entries.ts'
import { EventLogError } from './errors.ts'
import type {
  ConsumeOptions,
  EraseResult,
  EventLog,
  GroupInfo,
  LogBatch,
  LogEntry,
  LogRecord,
  PartitionLag,
  RecordPosition,
  TopicInfo,
  TopicOptions,
} from './event-log.ts'
import { GroupCommit } from './group-commit.ts'
import { LmdbStore } from './lmdb-store.ts'
import { partitionInfo, partitionLag, readEntries } from './read-entries.ts'
import { enforceRetention } from './retention.ts'
import { checkTopic } from './topic-options.ts'

export interface LmdbEventLogOptions {
  /** Made when it does not exist. */
  readonly folder: string
  readonly now?: () => number
  /**
   * By topic, the groups that must have read an entry before retention removes it. More than the port promises: Kafka removes what
   * nobody has read, so whoever reads must be ready for `LogBatch.lost` all the same.
   */
  readonly retentionHolds?: Readonly<Record<string, readonly string[]>>
}

const RECORD_BYTES_MAX = 16 * 1024 * 1024
const POLL_MS = 20
const RETENTION_INTERVAL_MS = 30_000
const READ_DEFAULT = 1_000

/** Opens (or makes) a log in a folder. Several processes may have it open, reading and writing. */
export async function openLmdbEventLog(options: LmdbEventLogOptions): Promise<EventLog> {
  return new LmdbEventLog(options)
}

/**
 * The log on LMDB. Appends that are waiting are written together in one transaction, whose commit ends with the sync
 * to disk (`overlappingSync` off): that is what an acknowledgement rests on. Offsets are taken inside the write
 * transaction, which LMDB gives to one process at a time.
 */
export class LmdbEventLog implements EventLog {
  readonly #store: LmdbStore
  readonly #appends: GroupCommit
  readonly #now: () => number
  readonly #holds: Readonly<Record<string, readonly string[]>>
  readonly #timer: NodeJS.Timeout
  #retention: Promise<void> | null = null
  /** One at a time: free pages are overwritten through a table that is dropped afterwards. */
  #erasing: Promise<unknown> = Promise.resolve()
  /** Consumers that found nothing to read. */
  readonly #sleeping = new Set<() => void>()
  #awakenings = 0
  #isClosed = false

  constructor({ folder, now = Date.now, retentionHolds = {} }: LmdbEventLogOptions) {
    this.#store = new LmdbStore(folder)
    this.#appends = new GroupCommit(this.#store, () => this.#awaken())
    this.#now = now
    this.#holds = retentionHolds
    // What could not be removed now is past its retention in half a minute too.
    this.#timer = setInterval(() => void this.enforceRetention().catch(() => {}), RETENTION_INTERVAL_MS)
    this.#timer.unref()
  }

  async ensureTopic(topic: string, options: TopicOptions): Promise<void> {
    this.#assertOpen()
    checkTopic(topic, options)
    const { topics } = this.#store
    await this.#store.write(() => {
      const known = topics.get(topic)
      const id = known?.id ?? 1 + Math.max(0, ...[...topics.getRange()].map(({ value }) => value.id))
      void topics.put(topic, {
        id,
        partitionCount: known?.partitionCount ?? options.partitionCount,
        retentionMs: options.retentionMs ?? null,
        retentionBytes: options.retentionBytes ?? null,
      })
    })
  }

  async topics(): Promise<TopicInfo[]> {
    this.#assertOpen()
    return [...this.#store.topics.getKeys()].map((name) => this.#infoOf(name))
  }

  async topic(topic: string): Promise<TopicInfo> {
    this.#assertOpen()
    return this.#infoOf(topic)
  }

  async append(topic: string, records: readonly LogRecord[]): Promise<RecordPosition[]> {
    this.#assertOpen()
    this.#store.known(topic)
    for (const record of records) {
      if (record.value.length > RECORD_BYTES_MAX) {
        throw new EventLogError(
          'LOG_RECORD_TOO_LARGE',
          `A record holds at most ${RECORD_BYTES_MAX} bytes, found ${record.value.length}`,
        )
      }
    }
    return records.length === 0 ? [] : this.#appends.append(topic, records)
  }

  async read(topic: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogBatch> {
    this.#assertOpen()
    return readEntries(this.#store, { topic, partition, fromOffset, maxRecords })
  }

  async *consume(topic: string, options: ConsumeOptions): AsyncIterable<LogBatch> {
    const { signal, maxRecords = READ_DEFAULT } = options
    const positions = await this.#startingOffsets(topic, options)
    while (!signal.aborted && !this.#isClosed) {
      const awakenings = this.#awakenings
      let isIdle = true
      for (const [partition, fromOffset] of positions) {
        const batch = readEntries(this.#store, { topic, partition, fromOffset, maxRecords })
        positions.set(partition, batch.nextOffset)
        if (batch.entries.length === 0 && batch.lost === 0) continue
        isIdle = false
        yield batch
        if (signal.aborted || this.#isClosed) return
      }
      if (isIdle && awakenings === this.#awakenings) await this.#sleep(signal)
    }
  }

  async commit(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    this.#assertOpen()
    this.#store.known(topic)
    await this.#store.write(() => {
      for (const [partition, offset] of offsets)
        void this.#store.offsets.put([group, topic, String(partition)], offset)
    })
  }

  async committed(group: string, topic: string): Promise<Map<number, number>> {
    this.#assertOpen()
    const { partitionCount } = this.#store.known(topic)
    const committed = new Map<number, number>()
    for (let partition = 0; partition < partitionCount; partition++) {
      const offset = this.#store.offsets.get([group, topic, String(partition)])
      if (offset !== undefined) committed.set(partition, offset)
    }
    return committed
  }

  async groups(): Promise<GroupInfo[]> {
    this.#assertOpen()
    const groups = new Map<string, PartitionLag[]>()
    for (const { key, value } of this.#store.offsets.getRange()) {
      const [group = '', topic = '', partition = '0'] = key
      const lag = partitionLag(this.#store, {
        topic,
        partition: Number(partition),
        committedOffset: value,
        nowMs: this.#now(),
      })
      groups.set(group, [...(groups.get(group) ?? []), lag])
    }
    return [...groups].map(([group, partitions]) => ({
      group,
      partitions: partitions.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition),
    }))
  }

  async erase(topic: string, matches: (entry: LogEntry) => boolean): Promise<EraseResult> {
    this.#assertOpen()
    const erased = this.#erasing.then(() => this.#erase(topic, matches))
    this.#erasing = erased.catch(() => {})
    return erased
  }

  async #erase(topic: string, matches: (entry: LogEntry) => boolean): Promise<EraseResult> {
    this.#assertOpen()
    const { id, partitionCount } = this.#store.known(topic)
    let count = 0
    for (let partition = 0; partition < partitionCount; partition++)
      count += await eraseEntries(this.#store, { topicId: id, partition }, matches)
    await overwriteFreePages(this.#store)
    return { kind: 'erased', count }
  }

  async isHealthy(): Promise<boolean> {
    if (this.#isClosed) return false
    try {
      this.#store.topics.getKeysCount({ limit: 1 })
      return true
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#awaken()
    await this.#appends.drained()
    await this.#retention?.catch(() => {})
    await this.#erasing
    await this.#store.root.close()
  }

  /** Removes entries past their topic's retention. Called by itself every 30 s; one run at a time. */
  async enforceRetention(): Promise<void> {
    if (this.#isClosed) return
    this.#retention ??= enforceRetention(this.#store, { nowMs: this.#now(), holds: this.#holds }).finally(
      () => {
        this.#retention = null
      },
    )
    await this.#retention
  }

  async #startingOffsets(topic: string, { from, group }: ConsumeOptions): Promise<Map<number, number>> {
    this.#assertOpen()
    const { partitions } = this.#infoOf(topic)
    const committed =
      from === 'committed' && group !== undefined ? await this.committed(group, topic) : new Map()
    const named = typeof from === 'string' ? committed : from
    return new Map(
      partitions.map(({ partition, startOffset, endOffset }) => [
        partition,
        from === 'latest' ? endOffset : (named.get(partition) ?? startOffset),
      ]),
    )
  }

  #infoOf(topic: string): TopicInfo {
    const { id, partitionCount } = this.#store.known(topic)
    const heads = Array.from({ length: partitionCount }, (_, partition) =>
      this.#store.headOf({ topicId: id, partition }),
    )
    return {
      topic,
      partitions: heads.map(partitionInfo),
      sizeBytes: heads.reduce((total, head) => total + head.bytes, 0),
    }
  }

  #awaken(): void {
    this.#awakenings += 1
    for (const wake of this.#sleeping) wake()
  }

  /**
   * Waits for an append of this process, or a little for one of another process. Leaves nothing behind: it is called many times a second
   * for as long as the process lives.
   */
  async #sleep(signal: AbortSignal): Promise<void> {
    const { promise, resolve: wake } = Promise.withResolvers<void>()
    const stop = () => wake()
    const timer = setTimeout(stop, POLL_MS)
    this.#sleeping.add(stop)
    signal.addEventListener('abort', stop, { once: true })
    await promise
    clearTimeout(timer)
    this.#sleeping.delete(stop)
    signal.removeEventListener('abort', stop)
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new EventLogError('LOG_CLOSED', 'The log was closed; open it again')
  }
}
