import type { SystemMetrics } from 'arus/api'
import { useEffect, useRef, useState } from 'react'

/** How fast offsets move, by the name of the partition; messages per second. */
export type Rates = ReadonlyMap<string, number>

/** Offsets at a moment: ends of topics' partitions, and what groups have committed. */
interface Offsets {
  readonly atMs: number
  readonly offsets: ReadonlyMap<string, number>
}

/** Name of a partition of a topic, or of a group's place in it. */
export function partitionKey(topic: string, partition: number, group = ''): string {
  return JSON.stringify([group, topic, partition])
}

function offsetsOf({ generated_at, topics, consumer_groups }: SystemMetrics): Offsets {
  const ends = topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, end_offset }) => [partitionKey(topic, partition), end_offset] as const),
  )
  const committed = consumer_groups.flatMap(({ group, partitions }) =>
    partitions.map(
      ({ topic, partition, committed_offset }) =>
        [partitionKey(topic, partition, group), committed_offset] as const,
    ),
  )
  return { atMs: generated_at, offsets: new Map([...ends, ...committed]) }
}

/** Messages per second between two moments; a partition that is new, or was reset, has none. */
export function ratesBetween(before: SystemMetrics, after: SystemMetrics): Rates {
  const from = offsetsOf(before)
  const to = offsetsOf(after)
  const seconds = (to.atMs - from.atMs) / 1000
  const rates = new Map<string, number>()
  if (seconds <= 0) return rates
  for (const [key, offset] of to.offsets) {
    const known = from.offsets.get(key)
    if (known !== undefined && offset >= known) rates.set(key, (offset - known) / seconds)
  }
  return rates
}

/** Rates between the newest two answers of `/system/metrics`; none after the first. */
export function usePartitionRates(metrics: SystemMetrics): Rates {
  const before = useRef<SystemMetrics | null>(null)
  const [rates, setRates] = useState<Rates>(new Map())
  useEffect(() => {
    const known = before.current
    if (known?.generated_at === metrics.generated_at) return
    before.current = metrics
    if (known !== null) setRates(ratesBetween(known, metrics))
  }, [metrics])
  return rates
}
