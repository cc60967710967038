/** A record to append. `key` chooses the partition: equal keys land in one partition, in append order. */
export interface LogRecord {
  readonly key: string | null
  readonly value: Uint8Array
  /** Time of the record, UTC milliseconds. */
  readonly timestampMs: number
}

/** A record as it stands in the log. */
export interface LogEntry extends LogRecord {
  /** Position in its partition: strictly increasing, from 0; gaps are allowed. */
  readonly offset: number
}

/** Where an appended record came to stand. */
export interface RecordPosition {
  readonly partition: number
  readonly offset: number
}

/** Consecutive entries of one partition. */
export interface LogBatch {
  readonly topic: string
  readonly partition: number
  readonly entries: readonly LogEntry[]
  /** The offset to read from next, and to commit once the batch is done. */
  readonly nextOffset: number
  /**
   * Offsets that reading was to begin at and that are gone, removed by retention: 0 unless the reader came too late. They
   * are skipped, and this is where it shows.
   */
  readonly lost: number
}

export interface TopicOptions {
  readonly partitionCount: number
  /** Entries older than this may be removed, read or not; absent means kept for ever. Kafka's `retention.ms`. */
  readonly retentionMs?: number
  /** The oldest entries of a partition beyond so many bytes may be removed. Kafka's `retention.bytes`. */
  readonly retentionBytes?: number
}

/** What became of an erasure: done, or left to the time entries are kept (null: for ever), as in Kafka. */
export type EraseResult =
  | { readonly kind: 'erased'; readonly count: number }
  | { readonly kind: 'kept until retention'; readonly retentionMs: number | null }

export interface PartitionInfo {
  readonly partition: number
  /** First offset still readable. */
  readonly startOffset: number
  /** Offset the next append will get. */
  readonly endOffset: number
  /** Time of the newest record, or null in an empty partition. */
  readonly newestTimestampMs: number | null
}

export interface TopicInfo {
  readonly topic: string
  readonly partitions: readonly PartitionInfo[]
  readonly sizeBytes: number
}

export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  readonly committedOffset: number
  readonly endOffset: number
  /** Entries not yet processed. */
  readonly lag: number
  /** Age of the oldest unprocessed entry, 0 when there is none. */
  readonly lagMs: number
  /** Entries removed by retention before the group had processed them. */
  readonly lost: number
}

export interface GroupInfo {
  readonly group: string
  readonly partitions: readonly PartitionLag[]
}

export interface ConsumeOptions {
  /** Consumer group whose committed offsets are the starting point for `from: 'committed'`. */
  readonly group?: string
  /**
   * Where to begin: `committed` (of the group; the beginning where it has none), `beginning`, `latest`, or an
   * offset per partition (the beginning for partitions not named).
   */
  readonly from: 'committed' | 'beginning' | 'latest' | ReadonlyMap<number, number>
  /** At most this many entries in a batch. Default 1,000. */
  readonly maxRecords?: number
  readonly signal: AbortSignal
}

/**
 * A durable, partitioned, append-only log. The contract holds for the embedded and the Kafka adapter alike:
 *
 * - `append` resolves only when the records would survive `kill -9` and power loss (fsync, or all in-sync
 *   replicas). Records of one call with the same key stay in order. A rejected `append` may have
 *   written some, all or none of its records (readers de-duplicate by id).
 * - Within a partition every reader sees the same entries at the same offsets.
 * - `consume` yields each partition's entries in order, at least once, waits at the end for more, sees the appends
 *   of other processes too, and returns when the signal aborts. It does not commit: the caller does, after its work.
 * - Committed offsets are durable when `commit` resolves.
 * - Retention removes from the beginning of a partition, in the background, sooner or later, and may remove what nobody has
 *   read. Whoever stands before the new beginning goes on there and is told how many offsets that skipped.
 */
export interface EventLog {
  /** Makes the topic if it does not exist; an existing one keeps its partition count. */
  ensureTopic(topic: string, options: TopicOptions): Promise<void>
  topics(): Promise<TopicInfo[]>
  topic(topic: string): Promise<TopicInfo>
  /** Positions are in the order of `records`. Throws `LOG_TOPIC_UNKNOWN`, `LOG_FULL`, `LOG_CLOSED`. */
  append(topic: string, records: readonly LogRecord[]): Promise<RecordPosition[]>
  /**
   * Reads without waiting; an empty batch only at the end. An offset before the start of the log begins at the start. A
   * batch may hold fewer than `maxRecords` where they are large.
   */
  read(topic: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogBatch>
  consume(topic: string, options: ConsumeOptions): AsyncIterable<LogBatch>
  commit(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void>
  committed(group: string, topic: string): Promise<Map<number, number>>
  /** Every group that has committed, with its lag per partition. */
  groups(): Promise<GroupInfo[]>
  /**
   * Erases the matching entries that stand in the topic at the call. `erased` means that their bytes are on the disk no
   * more, free space included; their offsets become gaps. A log that cannot rewrite says how long it keeps them.
   */
  erase(topic: string, matches: (entry: LogEntry) => boolean): Promise<EraseResult>
  /** True when the log answers; used by health checks. Never throws. */
  isHealthy(): Promise<boolean>
  close(): Promise<void>
}
