import { type Admin, ListOffsetTimestamps } from '@platformatic/kafka'
import type { GroupInfo, PartitionLag } from '../event-log.ts'
import { offsetsOf, partitionCountOf } from './kafka-topics.ts'

/** A committed offset, under Kafka's own names. */
export interface CommittedOffset {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Commits as a group without members, which every tool of Kafka's shows. */
export async function commitOffsets(
  client: Admin,
  group: string,
  topic: string,
  offsets: ReadonlyMap<number, number>,
): Promise<void> {
  const partitionOffsets = [...offsets].map(([partition, offset]) => ({ partition, offset: BigInt(offset) }))
  if (partitionOffsets.length === 0) return
  await client.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionOffsets }] })
}

/** What groups have committed, of all topics. */
export async function committedOffsets(client: Admin, groups: readonly string[]): Promise<CommittedOffset[]> {
  if (groups.length === 0) return []
  const listed = await client.listConsumerGroupOffsets({ groups: [...groups] })
  return listed.flatMap(({ groupId, topics }) =>
    topics.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ committedOffset }) => committedOffset >= 0n)
        .map(({ partitionIndex, committedOffset }) => ({
          group: groupId,
          topic: name,
          partition: partitionIndex,
          offset: Number(committedOffset),
        })),
    ),
  )
}

export interface LagOptions {
  /** Time of the first entry at or behind an offset; null when there is none. */
  readonly timeAt: (topic: string, partition: number, offset: number) => Promise<number | null>
  readonly now: () => number
}

/** How far each group is behind, partition by partition. */
export async function groupLags(
  client: Admin,
  groups: readonly string[],
  { timeAt, now }: LagOptions,
): Promise<GroupInfo[]> {
  const committed = await committedOffsets(client, groups)
  const topics = new Map<string, number>()
  for (const topic of new Set(committed.map((one) => one.topic))) {
    const partitionCount = await partitionCountOf(client, topic)
    if (partitionCount !== null) topics.set(topic, partitionCount)
  }
  const [starts, ends] = await Promise.all([
    offsetsOf(client, topics, ListOffsetTimestamps.EARLIEST),
    offsetsOf(client, topics, ListOffsetTimestamps.LATEST),
  ])
  const lags = await Promise.all(
    committed.map(async ({ group, topic, partition, offset }) => {
      const startOffset = starts.get(`${topic}/${partition}`)?.offset ?? 0
      const endOffset = ends.get(`${topic}/${partition}`)?.offset ?? 0
      const first = Math.max(startOffset, offset)
      const oldestMs = first < endOffset ? await timeAt(topic, partition, first) : null
      const lag: PartitionLag = {
        topic,
        partition,
        committedOffset: offset,
        endOffset,
        lag: Math.max(0, endOffset - first),
        lagMs: oldestMs === null ? 0 : Math.max(0, now() - oldestMs),
        lost: Math.max(0, startOffset - offset),
      }
      return { group, lag }
    }),
  )
  return groups.flatMap((group) => {
    const partitions = lags.filter((one) => one.group === group).map((one) => one.lag)
    partitions.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
    return partitions.length === 0 ? [] : [{ group, partitions }]
  })
}
