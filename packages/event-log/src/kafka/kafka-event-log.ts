import { type Admin, ListOffsetTimestamps } from '@platformatic/kafka'
import { EventLogError } from '../errors.ts'
import type {
  ConsumeOptions,
  EraseResult,
  EventLog,
  GroupInfo,
  LogBatch,
  LogEntry,
  LogRecord,
  RecordPosition,
  TopicInfo,
  TopicOptions,
} from '../event-log.ts'
import { partitionOf } from '../partitioner.ts'
import { checkTopic } from '../topic-options.ts'
import { Fetcher } from './fetcher.ts'
import { type KafkaConnection, openClient } from './kafka-client.ts'
import { consumeKafka, partitionFailure } from './kafka-consumer.ts'
import { kafkaFailure } from './kafka-errors.ts'
import { commitOffsets, committedOffsets, groupLags } from './kafka-groups.ts'
import {
  describeTopics,
  ensureKafkaTopic,
  offsetsOf,
  partitionCountOf,
  retentionMsOf,
} from './kafka-topics.ts'
import { type PlacedRecord, SendQueue } from './send-queue.ts'

export interface KafkaEventLogOptions extends KafkaConnection {
  /** Copies of the topics that are made, at most as many as there are brokers; null or absent: as the brokers are set. */
  readonly replicationFactor?: number | null
  /** Put before the names of topics and of consumer groups, so that several logs share a Kafka. */
  readonly topicPrefix?: string
  readonly groupPrefix?: string
  readonly now?: () => number
}

const RECORD_BYTES_MAX = 16 * 1024 * 1024
const READ_BYTES_MAX = 16 * 1024 * 1024
const READ_DEFAULT = 1_000
/** A record's size, for how much to ask for. */
const RECORD_BYTES = 1024
const OPEN_TIMEOUT_MS = 10_000
const HEALTH_TIMEOUT_MS = 3_000

/**
 * Connects to a Kafka, 3.1 or newer. Throws within ten seconds, saying which server and why: `LOG_UNAVAILABLE`,
 * `LOG_ACCESS_DENIED`, `LOG_VERSION_UNSUPPORTED`.
 */
export async function openKafkaEventLog(options: KafkaEventLogOptions): Promise<EventLog> {
  const log = new KafkaEventLog(options)
  try {
    await log.connect()
    return log
  } catch (error) {
    await log.close()
    throw error
  }
}

/**
 * The log on Kafka. Keys choose partitions as Kafka's own producer does; appends are acknowledged by all in-sync replicas;
 * positions of groups are Kafka's consumer-group offsets, of groups without members. `topics()` lists those that were used
 * here: what else is in a Kafka belongs to others.
 */
class KafkaEventLog implements EventLog {
  readonly #options: KafkaEventLogOptions
  readonly #client: Admin
  readonly #fetcher: Fetcher
  readonly #sends: SendQueue
  readonly #where: string
  readonly #partitionCounts = new Map<string, number>()
  /** Consumers that look for the end of a topic they are to begin at: what is appended meanwhile stands behind it. */
  readonly #beginning = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()
  /** For keyless records: the next partition, in turn. */
  #turn = 0

  constructor(options: KafkaEventLogOptions) {
    this.#options = options
    this.#client = openClient(options)
    this.#fetcher = new Fetcher(this.#client)
    this.#sends = new SendQueue(options)
    this.#where = options.servers.join(',')
  }

  async connect(): Promise<void> {
    // One look at each server: waiting for one that may come is for those who are connected.
    const asked = () => within(OPEN_TIMEOUT_MS, this.#client.metadata({ topics: [], retries: 0 }))
    await asked().catch((error: unknown) => {
      throw kafkaFailure(error, `connecting to ${this.#where}`, 'LOG_UNAVAILABLE')
    })
  }

  async ensureTopic(name: string, options: TopicOptions): Promise<void> {
    this.#assertOpen()
    const topic = this.#topicOf(name)
    checkTopic(topic, options)
    const { replicationFactor = null } = this.#options
    await this.#do(`ensuring topic ${topic}`, () =>
      ensureKafkaTopic(this.#client, topic, { ...options, replicationFactor }),
    )
    await this.#partitionCount(name)
  }

  async topics(): Promise<TopicInfo[]> {
    this.#assertOpen()
    return this.#describe([...this.#partitionCounts.keys()])
  }

  async topic(name: string): Promise<TopicInfo> {
    this.#assertOpen()
    const [info] = await this.#describe([name])
    return info!
  }

  async append(name: string, records: readonly LogRecord[]): Promise<RecordPosition[]> {
    this.#assertOpen()
    const partitionCount = await this.#partitionCount(name)
    const placed = records.map((record) => this.#placed(record, partitionCount))
    while (this.#beginning.size > 0) await Promise.allSettled(this.#beginning)
    this.#assertOpen()
    return placed.length === 0 ? [] : this.#sends.append(this.#topicOf(name), placed)
  }

  async read(name: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogBatch> {
    this.#assertOpen()
    await this.#assertPartition(name, partition)
    return this.#do(`reading ${this.#topicOf(name)}`, () =>
      this.#read(name, partition, fromOffset, maxRecords),
    )
  }

  async *consume(name: string, options: ConsumeOptions): AsyncGenerator<LogBatch> {
    this.#assertOpen()
    const { maxRecords = READ_DEFAULT } = options
    const topic = this.#topicOf(name)
    const starting = this.#startingOffsets(name, options)
    if (options.from === 'latest') this.#beginning.add(starting)
    const positions = await starting.finally(() => this.#beginning.delete(starting))
    const client = openClient(this.#options, { retries: 0 })
    const bounds = (partition: number) => this.#bounds(topic, partition)
    const signal = AbortSignal.any([options.signal, this.#closing.signal])
    try {
      yield* consumeKafka({
        fetcher: new Fetcher(client),
        topic,
        name,
        positions,
        maxRecords,
        signal,
        bounds,
      })
    } finally {
      await client.close()
    }
  }

  async commit(group: string, name: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    this.#assertOpen()
    await this.#partitionCount(name)
    const topic = this.#topicOf(name)
    await this.#do(`committing ${topic}`, () =>
      commitOffsets(this.#client, this.#groupPrefix + group, topic, offsets),
    )
  }

  async committed(group: string, name: string): Promise<Map<number, number>> {
    this.#assertOpen()
    await this.#partitionCount(name)
    const topic = this.#topicOf(name)
    const committed = await this.#do(`asking for offsets of ${topic}`, () =>
      committedOffsets(this.#client, [this.#groupPrefix + group]),
    )
    return new Map(
      committed.filter((one) => one.topic === topic).map(({ partition, offset }) => [partition, offset]),
    )
  }

  async groups(): Promise<GroupInfo[]> {
    this.#assertOpen()
    const { topicPrefix = '', now = Date.now } = this.#options
    const groups = await this.#do('listing groups', async () => {
      const ids = [...(await this.#client.listGroups()).keys()].filter((id) =>
        id.startsWith(this.#groupPrefix),
      )
      const timeAt = async (topic: string, partition: number, offset: number) =>
        (await this.#fetchFrom(topic, partition, offset, 1))?.entries[0]?.timestampMs ?? null
      return groupLags(this.#client, ids.sort(), { timeAt, now })
    })
    return groups.map(({ group, partitions }) => ({
      group: group.slice(this.#groupPrefix.length),
      partitions: partitions
        .filter(({ topic }) => topic.startsWith(topicPrefix))
        .map((lag) => ({ ...lag, topic: lag.topic.slice(topicPrefix.length) })),
    }))
  }

  async erase(name: string, _matches: (entry: LogEntry) => boolean): Promise<EraseResult> {
    this.#assertOpen()
    await this.#partitionCount(name)
    const topic = this.#topicOf(name)
    const retentionMs = await this.#do(`asking how long ${topic} is kept`, () =>
      retentionMsOf(this.#client, topic),
    )
    return { kind: 'kept until retention', retentionMs }
  }

  async isHealthy(): Promise<boolean> {
    if (this.#closing.signal.aborted) return false
    try {
      const asked = this.#client.metadata({ topics: [], forceUpdate: true, retries: 0 })
      return (await within(HEALTH_TIMEOUT_MS, asked)).brokers.size > 0
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    await this.#sends.close()
    await this.#client.close()
  }

  async #read(name: string, partition: number, fromOffset: number, maxRecords: number): Promise<LogBatch> {
    const topic = this.#topicOf(name)
    const entries: LogEntry[] = []
    let lost = 0
    let bytes = 0
    let nextOffset = fromOffset
    while (entries.length < maxRecords && bytes < READ_BYTES_MAX) {
      const fetched = await this.#fetchFrom(topic, partition, nextOffset, maxRecords - entries.length)
      if (fetched === null) {
        const { start } = await this.#bounds(topic, partition)
        if (nextOffset >= start) break
        lost += start - nextOffset
        nextOffset = start
        continue
      }
      const part = fetched.entries.slice(0, maxRecords - entries.length)
      entries.push(...part)
      for (const { value } of part) bytes += value.length
      const isAll = part.length === fetched.entries.length
      const isEnd = fetched.nextOffset === nextOffset || fetched.nextOffset >= fetched.endOffset
      nextOffset = isAll ? fetched.nextOffset : part.at(-1)!.offset + 1
      if (isEnd) break
    }
    return { topic: name, partition, entries, nextOffset, lost }
  }

  /** What one fetch brings without waiting, of about so many records; null where the offset is not in the partition. */
  async #fetchFrom(topic: string, partition: number, offset: number, recordCount: number) {
    const leaders = await this.#fetcher.leaders(topic)
    const node = [...leaders].find(([, partitions]) => partitions.includes(partition))?.[0] ?? -1
    const from = new Map([[partition, offset]])
    const [fetched] = await this.#fetcher.fetch({
      topic,
      node,
      from,
      waitMs: 0,
      partitionBytes: recordCount * RECORD_BYTES,
    })
    if (fetched === undefined || fetched.error === 'OFFSET_OUT_OF_RANGE') return null
    if (fetched.error !== null) {
      this.#fetcher.forgetLeaders()
      throw partitionFailure(topic, partition, fetched.error)
    }
    return fetched
  }

  async #startingOffsets(name: string, { from, group }: ConsumeOptions): Promise<Map<number, number>> {
    const topic = this.#topicOf(name)
    const partitionCount = await this.#partitionCount(name)
    const committed =
      from === 'committed' && group !== undefined
        ? await this.committed(group, name)
        : new Map<number, number>()
    const named = typeof from === 'string' ? committed : from
    const timestamp = from === 'latest' ? ListOffsetTimestamps.LATEST : ListOffsetTimestamps.EARLIEST
    const offsets = await this.#do(`asking where ${topic} begins`, () =>
      offsetsOf(this.#client, new Map([[topic, partitionCount]]), timestamp),
    )
    return new Map(
      Array.from({ length: partitionCount }, (_, partition) => [
        partition,
        named.get(partition) ?? offsets.get(`${topic}/${partition}`)?.offset ?? 0,
      ]),
    )
  }

  async #bounds(topic: string, partition: number): Promise<{ start: number; end: number }> {
    const topics = new Map([[topic, partition + 1]])
    const [starts, ends] = await Promise.all([
      offsetsOf(this.#client, topics, ListOffsetTimestamps.EARLIEST),
      offsetsOf(this.#client, topics, ListOffsetTimestamps.LATEST),
    ])
    const key = `${topic}/${partition}`
    return { start: starts.get(key)?.offset ?? 0, end: ends.get(key)?.offset ?? 0 }
  }

  async #describe(names: readonly string[]): Promise<TopicInfo[]> {
    const counts = new Map<string, number>()
    for (const name of names) counts.set(this.#topicOf(name), await this.#partitionCount(name))
    const described = await this.#do('describing topics', () => describeTopics(this.#client, counts))
    return names.flatMap((name) => {
      const info = described.get(this.#topicOf(name))
      return info === undefined ? [] : [{ ...info, topic: name }]
    })
  }

  /**
   * Throws `LOG_TOPIC_UNKNOWN`. A topic that was there is looked up no more, and one that Kafka does not know any longer is
   * taken for a Kafka that is just starting.
   */
  async #partitionCount(name: string): Promise<number> {
    const known = this.#partitionCounts.get(name)
    if (known !== undefined) return known
    const topic = this.#topicOf(name)
    const found = await this.#do(`looking for topic ${topic}`, () => partitionCountOf(this.#client, topic))
    if (found === null)
      throw new EventLogError('LOG_TOPIC_UNKNOWN', `No topic is called "${topic}" at ${this.#where}`)
    this.#partitionCounts.set(name, found)
    return found
  }

  async #assertPartition(name: string, partition: number): Promise<void> {
    const partitionCount = await this.#partitionCount(name)
    if (Number.isInteger(partition) && partition >= 0 && partition < partitionCount) return
    throw new EventLogError(
      'LOG_PARTITION_UNKNOWN',
      `Topic "${name}" has partitions 0 to ${partitionCount - 1}, found ${partition}`,
    )
  }

  #placed(record: LogRecord, partitionCount: number): PlacedRecord {
    if (record.value.length > RECORD_BYTES_MAX) {
      throw new EventLogError(
        'LOG_RECORD_TOO_LARGE',
        `A record holds at most ${RECORD_BYTES_MAX} bytes, found ${record.value.length}`,
      )
    }
    const partition =
      record.key === null ? this.#turn++ % partitionCount : partitionOf(record.key, partitionCount)
    return { record, partition }
  }

  #topicOf(name: string): string {
    return (this.#options.topicPrefix ?? '') + name
  }

  get #groupPrefix(): string {
    return this.#options.groupPrefix ?? ''
  }

  /** Runs a request; its failure is told in the log's words. */
  async #do<T>(doing: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request()
    } catch (error) {
      this.#assertOpen()
      throw kafkaFailure(error, `${doing} at ${this.#where}`)
    }
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted)
      throw new EventLogError('LOG_CLOSED', 'The log was closed; open it again')
  }
}

/** Throws `LOG_UNAVAILABLE` when the time is over. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new EventLogError('LOG_UNAVAILABLE', `Kafka did not answer within ${timeoutMs} ms`)),
    timeoutMs,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
