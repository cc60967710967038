import { mkdirSync } from 'node:fs'
import { type Database, open, type RootDatabase } from 'lmdb'
import { EventLogError } from './errors.ts'
import type {
  ConsumeOptions,
  EventLog,
  GroupInfo,
  LogBatch,
  LogEntry,
  LogRecord,
  PartitionInfo,
  PartitionLag,
  RecordPosition,
  TopicInfo,
  TopicOptions,
} from './event-log.ts'
import { partitionOf } from './partitioner.ts'
import { decodeRecord, encodeRecord, entryKey, offsetOfKey, timestampOf } from './record-format.ts'

export interface LmdbEventLogOptions {
  /** Made when it does not exist. */
  readonly folder: string
  readonly now?: () => number
}

interface Topic {
  readonly id: number
  readonly partitionCount: number
  readonly retentionMs: number | null
}

/** State of a partition; offsets as in `PartitionInfo`. */
interface Head {
  readonly start: number
  readonly end: number
  readonly newest: number | null
  readonly bytes: number
}

interface PendingAppend {
  readonly topic: string
  readonly records: readonly LogRecord[]
  readonly done: PromiseWithResolvers<RecordPosition[]>
}

const EMPTY_HEAD: Head = { start: 0, end: 0, newest: null, bytes: 0 }
const RECORD_BYTES_MAX = 16 * 1024 * 1024
/** Records written in one transaction at most: bounds the time the write lock is held. */
const COMMIT_RECORDS_MAX = 20_000
const POLL_MS = 20
const RETENTION_INTERVAL_MS = 30_000
const RETENTION_STEP = 5_000
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
  readonly #root: RootDatabase<unknown, string>
  readonly #entries: Database<Buffer, Buffer>
  readonly #topics: Database<Topic, string>
  readonly #heads: Database<Head, string>
  readonly #offsets: Database<number, string[]>
  readonly #now: () => number
  readonly #retention: NodeJS.Timeout
  #queue: PendingAppend[] = []
  #writing: Promise<void> | null = null
  #wake: PromiseWithResolvers<void> = Promise.withResolvers()
  #isClosed = false

  constructor({ folder, now = Date.now }: LmdbEventLogOptions) {
    mkdirSync(folder, { recursive: true })
    this.#root = open({ path: folder, maxDbs: 8, overlappingSync: false })
    this.#entries = this.#root.openDB({ name: 'entries', keyEncoding: 'binary', encoding: 'binary' })
    this.#topics = this.#root.openDB({ name: 'topics' })
    this.#heads = this.#root.openDB({ name: 'heads' })
    this.#offsets = this.#root.openDB({ name: 'offsets' })
    this.#now = now
    this.#retention = setInterval(() => void this.enforceRetention(), RETENTION_INTERVAL_MS)
    this.#retention.unref()
  }

  async ensureTopic(topic: string, options: TopicOptions): Promise<void> {
    this.#assertOpen()
    if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic)) {
      throw new EventLogError(
        'LOG_TOPIC_INVALID',
        `A topic is 1 to 249 of A-Z a-z 0-9 . _ -, found "${topic}"`,
      )
    }
    if (
      !Number.isInteger(options.partitionCount) ||
      options.partitionCount < 1 ||
      options.partitionCount > 65_535
    ) {
      throw new EventLogError(
        'LOG_TOPIC_INVALID',
        `A topic has 1 to 65535 partitions, found ${options.partitionCount}`,
      )
    }
    await this.#root.transaction(() => {
      const known = this.#topics.get(topic)
      const retentionMs = options.retentionMs ?? null
      const id = known?.id ?? 1 + Math.max(0, ...[...this.#topics.getRange()].map(({ value }) => value.id))
      void this.#topics.put(topic, {
        id,
        partitionCount: known?.partitionCount ?? options.partitionCount,
        retentionMs,
      })
    })
  }

  async topics(): Promise<TopicInfo[]> {
    this.#assertOpen()
    return [...this.#topics.getRange()].map(({ key, value }) => this.#infoOf(key, value))
  }

  async topic(topic: string): Promise<TopicInfo> {
    this.#assertOpen()
    return this.#infoOf(topic, this.#known(topic))
  }

  async append(topic: string, records: readonly LogRecord[]): Promise<RecordPosition[]> {
    this.#assertOpen()
    this.#known(topic)
    for (const record of records) {
      if (record.value.length > RECORD_BYTES_MAX) {
        throw new EventLogError(
          'LOG_RECORD_TOO_LARGE',
          `A record holds at most ${RECORD_BYTES_MAX} bytes, found ${record.value.length}`,
        )
      }
    }
    if (records.length === 0) return []
    const done = Promise.withResolvers<RecordPosition[]>()
    this.#queue.push({ topic, records, done })
    this.#writing ??= this.#writeQueued().finally(() => {
      this.#writing = null
    })
    return done.promise
  }

  async read(topic: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogBatch> {
    this.#assertOpen()
    return this.#readNow(topic, partition, fromOffset, maxRecords)
  }

  async *consume(topic: string, options: ConsumeOptions): AsyncIterable<LogBatch> {
    const { signal, maxRecords = READ_DEFAULT } = options
    const positions = await this.#startingOffsets(topic, options)
    while (!signal.aborted && !this.#isClosed) {
      const woken = this.#wake.promise
      let isIdle = true
      for (const [partition, offset] of positions) {
        const batch = this.#readNow(topic, partition, offset, maxRecords)
        if (batch.entries.length === 0) continue
        isIdle = false
        yield batch
        positions.set(partition, batch.nextOffset)
        if (signal.aborted || this.#isClosed) return
      }
      if (isIdle) await wakeOrPoll(woken, signal)
    }
  }

  async commit(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    this.#assertOpen()
    this.#known(topic)
    await this.#root.transaction(() => {
      for (const [partition, offset] of offsets)
        void this.#offsets.put([group, topic, String(partition)], offset)
    })
  }

  async committed(group: string, topic: string): Promise<Map<number, number>> {
    this.#assertOpen()
    const { partitionCount } = this.#known(topic)
    const committed = new Map<number, number>()
    for (let partition = 0; partition < partitionCount; partition++) {
      const offset = this.#offsets.get([group, topic, String(partition)])
      if (offset !== undefined) committed.set(partition, offset)
    }
    return committed
  }

  async groups(): Promise<GroupInfo[]> {
    this.#assertOpen()
    const groups = new Map<string, PartitionLag[]>()
    for (const { key, value } of this.#offsets.getRange()) {
      const [group = '', topic = '', partition = '0'] = key
      groups.set(group, [...(groups.get(group) ?? []), this.#lagOf(topic, Number(partition), value)])
    }
    return [...groups].map(([group, partitions]) => ({
      group,
      partitions: partitions.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition),
    }))
  }

  async isHealthy(): Promise<boolean> {
    if (this.#isClosed) return false
    try {
      this.#topics.getKeysCount({ limit: 1 })
      return true
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#retention)
    this.#wake.resolve()
    await this.#writing
    await this.#root.close()
  }

  /** Removes entries past their topic's retention, a bounded step per partition. Called by itself every 30 s. */
  async enforceRetention(): Promise<void> {
    if (this.#isClosed) return
    for (const { value: topic } of this.#topics.getRange()) {
      if (topic.retentionMs === null) continue
      for (let partition = 0; partition < topic.partitionCount; partition++) {
        await this.#expire(topic, partition, this.#now() - topic.retentionMs)
      }
    }
  }

  async #writeQueued(): Promise<void> {
    // Waits for the rest of this turn's appends, so that they share the first commit too.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const group = this.#nextGroup()
      try {
        const positions = await this.#root.transaction(() => group.map((append) => this.#write(append)))
        this.#awaken()
        for (const [i, append] of group.entries()) append.done.resolve(positions[i] ?? [])
      } catch (error) {
        const failure = failureOf(error)
        for (const append of group) append.done.reject(failure)
      }
    }
  }

  #nextGroup(): PendingAppend[] {
    let records = 0
    let count = 0
    while (count < this.#queue.length && records < COMMIT_RECORDS_MAX)
      records += this.#queue[count++]!.records.length
    return this.#queue.splice(0, count)
  }

  /** Runs inside the write transaction. */
  #write({ topic, records }: PendingAppend): RecordPosition[] {
    const { id, partitionCount } = this.#known(topic)
    const heads = new Map<number, Head>()
    const positions = records.map((record, i) => {
      const partition = record.key === null ? i % partitionCount : partitionOf(record.key, partitionCount)
      const head = heads.get(partition) ?? this.#headOf(id, partition)
      const bytes = encodeRecord(record)
      void this.#entries.put(entryKey(id, partition, head.end), bytes)
      heads.set(partition, {
        start: head.start,
        end: head.end + 1,
        newest: Math.max(head.newest ?? record.timestampMs, record.timestampMs),
        bytes: head.bytes + bytes.length,
      })
      return { partition, offset: head.end }
    })
    for (const [partition, head] of heads) void this.#heads.put(headKey(id, partition), head)
    return positions
  }

  async #expire(topic: Topic, partition: number, beforeMs: number): Promise<void> {
    await this.#root.transaction(() => {
      const head = this.#headOf(topic.id, partition)
      let { start, bytes } = head
      const range = {
        start: entryKey(topic.id, partition, start),
        end: entryKey(topic.id, partition, head.end),
      }
      for (const { key, value } of this.#entries.getRange({ ...range, limit: RETENTION_STEP })) {
        if (timestampOf(value) >= beforeMs) break
        void this.#entries.remove(key)
        start = offsetOfKey(key) + 1
        bytes -= value.length
      }
      if (start !== head.start) void this.#heads.put(headKey(topic.id, partition), { ...head, start, bytes })
    })
  }

  #readNow(topic: string, partition: number, fromOffset: number, maxRecords: number): LogBatch {
    const { id, partitionCount } = this.#known(topic)
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitionCount) {
      throw new EventLogError(
        'LOG_PARTITION_UNKNOWN',
        `Topic "${topic}" has partitions 0 to ${partitionCount - 1}, found ${partition}`,
      )
    }
    const { start, end } = this.#headOf(id, partition)
    const first = Math.max(start, fromOffset)
    const entries: LogEntry[] = []
    if (first < end) {
      const range = {
        start: entryKey(id, partition, first),
        end: entryKey(id, partition, end),
        limit: maxRecords,
      }
      for (const { key, value } of this.#entries.getRange(range))
        entries.push(decodeRecord(value, offsetOfKey(key)))
    }
    const nextOffset = entries.length === 0 ? first : entries.at(-1)!.offset + 1
    return { topic, partition, entries, nextOffset }
  }

  async #startingOffsets(topic: string, { from, group }: ConsumeOptions): Promise<Map<number, number>> {
    this.#assertOpen()
    const { partitions } = this.#infoOf(topic, this.#known(topic))
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

  #lagOf(topic: string, partition: number, committedOffset: number): PartitionLag {
    const known = this.#topics.get(topic)
    const { start, end } = known === undefined ? EMPTY_HEAD : this.#headOf(known.id, partition)
    const first = Math.max(start, committedOffset)
    const oldest =
      known === undefined || first >= end
        ? undefined
        : this.#entries.get(entryKey(known.id, partition, first))
    return {
      topic,
      partition,
      committedOffset,
      endOffset: end,
      lag: Math.max(0, end - first),
      lagMs: oldest === undefined ? 0 : Math.max(0, this.#now() - timestampOf(oldest)),
    }
  }

  #infoOf(topic: string, { id, partitionCount }: Topic): TopicInfo {
    const heads = Array.from({ length: partitionCount }, (_, partition) => this.#headOf(id, partition))
    const partitions: PartitionInfo[] = heads.map((head, partition) => ({
      partition,
      startOffset: head.start,
      endOffset: head.end,
      newestTimestampMs: head.newest,
    }))
    return { topic, partitions, sizeBytes: heads.reduce((total, head) => total + head.bytes, 0) }
  }

  #known(topic: string): Topic {
    const known = this.#topics.get(topic)
    if (known !== undefined) return known
    const names = [...this.#topics.getKeys()].join(', ') || 'none'
    throw new EventLogError('LOG_TOPIC_UNKNOWN', `No topic is called "${topic}"; there are: ${names}`)
  }

  #headOf(topicId: number, partition: number): Head {
    return this.#heads.get(headKey(topicId, partition)) ?? EMPTY_HEAD
  }

  #awaken(): void {
    const sleeping = this.#wake
    this.#wake = Promise.withResolvers()
    sleeping.resolve()
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new EventLogError('LOG_CLOSED', 'The log was closed; open it again')
  }
}

function headKey(topicId: number, partition: number): string {
  return `${topicId}/${partition}`
}

/** Waits for an append of this process, or a little for one of another process. */
async function wakeOrPoll(woken: Promise<void>, signal: AbortSignal): Promise<void> {
  const waiting = Promise.withResolvers<void>()
  const timer = setTimeout(waiting.resolve, POLL_MS)
  signal.addEventListener('abort', () => waiting.resolve(), { once: true })
  await Promise.race([woken, waiting.promise])
  clearTimeout(timer)
}

function failureOf(error: unknown): EventLogError {
  const message = error instanceof Error ? error.message : String(error)
  const isFull = /MDB_MAP_FULL|ENOSPC|No space left/.test(message)
  return new EventLogError(
    isFull ? 'LOG_FULL' : 'LOG_WRITE_FAILED',
    isFull
      ? `The log has no room left (${message}); make room on the disk or shorten the retention, then send again`
      : `The append could not be committed (${message}); it may have been written, so send again with the same ids`,
    error,
  )
}
