import {
  type ConsumeOptions,
  type EraseResult,
  type EventLog,
  EventLogError,
  type GroupInfo,
  type LogBatch,
  type LogEntry,
  type LogRecord,
  type PartitionLag,
  partitionOf,
  type RecordPosition,
  type TopicInfo,
  type TopicOptions,
} from '@arus/event-log'
import { AT_ONCE, type Io, written } from './io.ts'

/** What a log holds, whoever has it open. */
export interface LogContent {
  readonly topics: Map<string, LogEntry[][]>
  readonly offsets: Map<string, number>
  /** Called after each append, once for each log that has it open. */
  readonly onAppend: Set<() => void>
}

export function emptyLog(): LogContent {
  return { topics: new Map(), offsets: new Map(), onAppend: new Set() }
}

/** The log in memory, by the same contract as the one on disk. */
export class MemoryLog implements EventLog {
  readonly #content: LogContent
  readonly #io: Io
  readonly #onFailure: (records: readonly LogRecord[]) => void
  readonly #sleeping = new Set<() => void>()
  #awakenings = 0
  #isClosed = false
  readonly #onAppend = (): void => this.#io.later('log.wake', () => this.#awaken())

  constructor(
    content: LogContent = emptyLog(),
    io: Io = AT_ONCE,
    /** Told of appends that fail. */
    onFailure: (records: readonly LogRecord[]) => void = () => {},
  ) {
    this.#content = content
    this.#io = io
    this.#onFailure = onFailure
    content.onAppend.add(this.#onAppend)
  }

  async ensureTopic(topic: string, { partitionCount }: TopicOptions): Promise<void> {
    this.#assertOpen()
    if (!/^[\w.-]+$/.test(topic)) throw new EventLogError('LOG_TOPIC_INVALID', `"${topic}" is no name`)
    if (!this.#content.topics.has(topic))
      this.#content.topics.set(
        topic,
        Array.from({ length: partitionCount }, () => []),
      )
  }

  async topics(): Promise<TopicInfo[]> {
    return [...this.#content.topics.keys()].map((name) => this.#infoOf(name))
  }

  async topic(topic: string): Promise<TopicInfo> {
    this.#assertOpen()
    await this.#io.read('log.topic')
    return this.#infoOf(topic)
  }

  async append(topic: string, records: readonly LogRecord[]): Promise<RecordPosition[]> {
    this.#assertOpen()
    const partitions = this.#known(topic)
    return written(this.#io, 'log.append', {
      write: () => {
        const positions = records.map((record, i) => {
          const partition =
            record.key === null ? i % partitions.length : partitionOf(record.key, partitions.length)
          const entries = partitions[partition]!
          entries.push({ ...record, value: Uint8Array.from(record.value), offset: entries.length })
          return { partition, offset: entries.length - 1 }
        })
        for (const tell of this.#content.onAppend) tell()
        return positions
      },
      failure: (fault) => {
        this.#onFailure(records)
        return fault === 'before'
          ? new EventLogError('LOG_FULL', 'no room')
          : new EventLogError('LOG_WRITE_FAILED', 'it may have been written')
      },
    })
  }

  async read(topic: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogBatch> {
    this.#assertOpen()
    await this.#io.read('log.read')
    return this.#batch(topic, { partition, fromOffset, maxRecords })
  }

  async *consume(topic: string, options: ConsumeOptions): AsyncIterable<LogBatch> {
    const { signal, maxRecords = 1_000 } = options
    const positions = await this.#startingOffsets(topic, options)
    while (!signal.aborted && !this.#isClosed) {
      const awakenings = this.#awakenings
      let isIdle = true
      for (const [partition, fromOffset] of positions) {
        await this.#io.read('log.consume')
        const batch = this.#batch(topic, { partition, fromOffset, maxRecords })
        positions.set(partition, batch.nextOffset)
        if (batch.entries.length === 0) continue
        isIdle = false
        yield batch
        if (signal.aborted || this.#isClosed) return
      }
      if (isIdle && awakenings === this.#awakenings) await this.#sleep(signal)
    }
  }

  async commit(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    this.#assertOpen()
    this.#known(topic)
    await written(this.#io, 'log.commit', {
      write: () => {
        for (const [partition, offset] of offsets)
          this.#content.offsets.set(JSON.stringify([group, topic, partition]), offset)
      },
      failure: () => new EventLogError('LOG_WRITE_FAILED', 'offsets were not committed'),
    })
  }

  async committed(group: string, topic: string): Promise<Map<number, number>> {
    const found = this.#known(topic).map(
      (_, partition) =>
        [partition, this.#content.offsets.get(JSON.stringify([group, topic, partition]))] as const,
    )
    return new Map(found.filter((each): each is readonly [number, number] => each[1] !== undefined))
  }

  async groups(): Promise<GroupInfo[]> {
    const groups = new Map<string, PartitionLag[]>()
    for (const [key, committedOffset] of this.#content.offsets) {
      const [group, topic, partition] = JSON.parse(key) as [string, string, number]
      const endOffset = this.#known(topic)[partition]!.length
      const lag = endOffset - committedOffset
      const partitionLag = { topic, partition, committedOffset, endOffset, lag, lagMs: lag, lost: 0 }
      groups.set(group, [...(groups.get(group) ?? []), partitionLag])
    }
    return [...groups].map(([group, partitions]) => ({ group, partitions }))
  }

  async erase(): Promise<EraseResult> {
    return { kind: 'kept until retention', retentionMs: null }
  }

  async isHealthy(): Promise<boolean> {
    return !this.#isClosed
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#content.onAppend.delete(this.#onAppend)
    this.#awaken()
  }

  #batch(
    topic: string,
    {
      partition,
      fromOffset,
      maxRecords,
    }: { readonly partition: number; readonly fromOffset: number; readonly maxRecords: number },
  ): LogBatch {
    const all = this.#known(topic)[partition]
    if (all === undefined)
      throw new EventLogError('LOG_PARTITION_UNKNOWN', `${topic} has no partition ${partition}`)
    const entries = all.slice(fromOffset, fromOffset + maxRecords)
    return { topic, partition, entries, nextOffset: fromOffset + entries.length, lost: 0 }
  }

  async #startingOffsets(topic: string, { from, group }: ConsumeOptions): Promise<Map<number, number>> {
    const { partitions } = await this.topic(topic)
    const committed =
      from === 'committed' && group !== undefined ? await this.committed(group, topic) : new Map()
    const named = typeof from === 'string' ? committed : from
    return new Map(
      partitions.map(({ partition, endOffset }) => [
        partition,
        from === 'latest' ? endOffset : (named.get(partition) ?? 0),
      ]),
    )
  }

  #infoOf(topic: string): TopicInfo {
    const partitions = this.#known(topic).map((entries, partition) => ({
      partition,
      startOffset: 0,
      endOffset: entries.length,
      newestTimestampMs: entries.at(-1)?.timestampMs ?? null,
    }))
    return { topic, partitions, sizeBytes: 0 }
  }

  #known(topic: string): LogEntry[][] {
    const known = this.#content.topics.get(topic)
    if (known !== undefined) return known
    throw new EventLogError('LOG_TOPIC_UNKNOWN', `No topic is called "${topic}"`)
  }

  #awaken(): void {
    this.#awakenings += 1
    for (const wake of this.#sleeping) wake()
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = () => resolve()
    this.#sleeping.add(stop)
    signal.addEventListener('abort', stop, { once: true })
    await promise
    this.#sleeping.delete(stop)
    signal.removeEventListener('abort', stop)
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new EventLogError('LOG_CLOSED', 'The log was closed')
  }
}
