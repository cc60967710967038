import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Admin,
  ConfigResourceTypes,
  FetchIsolationLevels,
  IncrementalAlterConfigOperationTypes,
  ListOffsetTimestamps,
  type ListOffsetTimestampValue,
} from '@platformatic/kafka'
import { EventLogError } from '../errors.ts'
import type { PartitionInfo, TopicInfo, TopicOptions } from '../event-log.ts'
import { isKafkaError } from './kafka-errors.ts'

/** A batch on the broker at most: the largest record of the port, and what stands around it. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024 + 64 * 1024
const SETTLE_MS = 100
const SETTLE_TRIES = 150

/** Makes a topic with its retention; of one that is there, only what is given of the retention is changed. */
export async function ensureKafkaTopic(
  client: Admin,
  topic: string,
  options: TopicOptions & { readonly replicationFactor: number | null },
): Promise<void> {
  if ((await partitionCountOf(client, topic)) !== null) return changeRetention(client, topic, options)
  const { partitionCount, retentionMs, retentionBytes, replicationFactor } = options
  const configs = {
    'retention.ms': retentionMs ?? -1,
    'retention.bytes': retentionBytes ?? -1,
    'max.message.bytes': MESSAGE_BYTES_MAX,
    // Acknowledged means written twice, where a third copy lets one broker be away.
    ...(replicationFactor !== null && replicationFactor >= 3 ? { 'min.insync.replicas': 2 } : {}),
  }
  try {
    await client.createTopics({
      topics: [topic],
      partitions: partitionCount,
      ...(replicationFactor === null ? {} : { replicas: replicationFactor }),
      configs: Object.entries(configs).map(([name, value]) => ({ name, value: String(value) })),
    })
  } catch (error) {
    // Another process was first.
    if (!isKafkaError(error, 'TOPIC_ALREADY_EXISTS')) throw error
  }
  await untilLed(client, topic)
}

/** Partitions of a topic; null when there is none of that name. */
export async function partitionCountOf(client: Admin, topic: string): Promise<number | null> {
  try {
    // An unknown topic counts as something that may pass, which would be asked for again and again.
    const { topics } = await client.metadata({ topics: [topic], retries: 0 })
    return topics.get(topic)?.partitionsCount ?? null
  } catch (error) {
    if (isUnknownTopic(error)) return null
    throw error
  }
}

/** How long Kafka keeps records of a topic; null: for ever. */
export async function retentionMsOf(client: Admin, topic: string): Promise<number | null> {
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }
  const [described] = await client.describeConfigs({
    resources: [{ ...resource, configurationKeys: ['retention.ms'] }],
  })
  const value = Number(described?.configs.find(({ name }) => name === 'retention.ms')?.value ?? -1)
  return value < 0 ? null : value
}

/** Offsets, newest times and size of topics that are there. */
export async function describeTopics(
  client: Admin,
  topics: ReadonlyMap<string, number>,
): Promise<Map<string, TopicInfo>> {
  const [start, end, newest, sizes] = await Promise.all([
    offsetsOf(client, topics, ListOffsetTimestamps.EARLIEST),
    offsetsOf(client, topics, ListOffsetTimestamps.LATEST),
    offsetsOf(client, topics, ListOffsetTimestamps.MAX),
    sizesOf(client, topics),
  ])
  return new Map(
    [...topics].map(([topic, partitionCount]) => {
      const partitions = Array.from({ length: partitionCount }, (_, partition): PartitionInfo => {
        const key = `${topic}/${partition}`
        const newestTimestampMs = newest.get(key)?.timestampMs ?? -1
        return {
          partition,
          startOffset: start.get(key)?.offset ?? 0,
          endOffset: end.get(key)?.offset ?? 0,
          newestTimestampMs: newestTimestampMs < 0 ? null : newestTimestampMs,
        }
      })
      return [topic, { topic, partitions, sizeBytes: sizes.get(topic) ?? 0 }]
    }),
  )
}

interface ListedOffset {
  readonly offset: number
  readonly timestampMs: number
}

/** By `topic/partition`: the first offset, the one behind the last committed record, or that of the newest record. */
export async function offsetsOf(
  client: Admin,
  topics: ReadonlyMap<string, number>,
  timestamp: ListOffsetTimestampValue,
): Promise<Map<string, ListedOffset>> {
  if (topics.size === 0) return new Map()
  const listed = await client.listOffsets({
    topics: [...topics].map(([name, partitionCount]) => ({
      name,
      partitions: Array.from({ length: partitionCount }, (_, partitionIndex) => ({
        partitionIndex,
        timestamp,
      })),
    })),
    isolationLevel: FetchIsolationLevels.READ_COMMITTED,
  })
  return new Map(
    listed.flatMap(({ name, partitions }) =>
      partitions.map((partition) => [
        `${name}/${partition.partitionIndex}`,
        { offset: Number(partition.offset), timestampMs: Number(partition.timestamp) },
      ]),
    ),
  )
}

/** Bytes on disk of one copy of each topic; of a Kafka that does not let this user ask, none. */
async function sizesOf(client: Admin, topics: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const wanted = [...topics].map(([name, partitionCount]) => ({
    name,
    partitions: Array.from({ length: partitionCount }, (_, partition) => partition),
  }))
  const copies = new Map<string, number>()
  const brokers = await client.describeLogDirs({ topics: wanted }).catch((error: unknown) => {
    if (isKafkaError(error, 'CLUSTER_AUTHORIZATION_FAILED')) return []
    throw error
  })
  for (const { name, partitions } of brokers
    .flatMap(({ results }) => results)
    .flatMap((result) => result.topics)) {
    for (const { partitionIndex, partitionSize } of partitions) {
      const key = `${name}/${partitionIndex}`
      copies.set(key, Math.max(copies.get(key) ?? 0, Number(partitionSize)))
    }
  }
  return new Map(
    [...topics].map(([name, count]) => [
      name,
      Array.from({ length: count }, (_, i) => copies.get(`${name}/${i}`) ?? 0).reduce(
        (sum, size) => sum + size,
        0,
      ),
    ]),
  )
}

async function changeRetention(client: Admin, topic: string, options: TopicOptions): Promise<void> {
  const { retentionMs, retentionBytes } = options
  const wanted = { 'retention.ms': retentionMs, 'retention.bytes': retentionBytes }
  const configs = Object.entries(wanted).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [{ name, configOperation: IncrementalAlterConfigOperationTypes.SET, value: String(value) }],
  )
  if (configs.length === 0) return
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }
  await client.incrementalAlterConfigs({ resources: [{ ...resource, configs }] })
}

/** A topic that was just made has its leaders a moment later. */
async function untilLed(client: Admin, topic: string): Promise<void> {
  for (let attempt = 0; attempt < SETTLE_TRIES; attempt++) {
    const led = await client.metadata({ topics: [topic], forceUpdate: true }).then(
      ({ topics }) => topics.get(topic)?.partitions.every(({ leader }) => leader >= 0) ?? false,
      (error: unknown) => {
        if (isUnknownTopic(error) || isKafkaError(error, 'LEADER_NOT_AVAILABLE')) return false
        throw error
      },
    )
    if (led) return
    await sleep(SETTLE_MS)
  }
  throw new EventLogError(
    'LOG_UNAVAILABLE',
    `Kafka made topic "${topic}", but nobody leads it yet; try again`,
  )
}

function isUnknownTopic(error: unknown): boolean {
  return (
    isKafkaError(error, 'UNKNOWN_TOPIC_OR_PARTITION') ||
    (error instanceof Error && error.message.startsWith('Unknown topic'))
  )
}
