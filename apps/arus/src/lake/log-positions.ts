import type { Snapshot } from '@arus/delta'

const PREFIX = 'arus-lake-'

/** How far a partition of a topic has been copied. */
export interface LogPosition {
  readonly topic: string
  readonly partition: number
  /** The next offset to read. */
  readonly offset: number
}

/** Application under which a bronze table says how far a partition of a topic is in it. */
export function positionId(topic: string, partition: number): string {
  return `${PREFIX}${topic}-${partition}`
}

/** Transactions that state positions. */
export function positionTransactions(topic: string, next: ReadonlyMap<number, number>) {
  return [...next].map(([partition, version]) => ({ appId: positionId(topic, partition), version }))
}

/** The next offset to read of a partition, or null where nothing of it was copied. */
export function positionOf(snapshot: Snapshot, topic: string, partition: number): number | null {
  return snapshot.transactions.get(positionId(topic, partition))?.version ?? null
}

/** Progress of entries that are no records of their topic is kept under this name, in `bronze.rejected_events`. */
export function brokenLabel(topic: string): string {
  return `${topic}#broken`
}

/** Every position a bronze table states of whole topics. */
export function positionsIn(snapshot: Snapshot): LogPosition[] {
  return [...snapshot.transactions.values()].flatMap(({ appId, version }) => {
    const [, topic = '', partition = ''] = /^arus-lake-(.+)-(\d+)$/.exec(appId) ?? []
    return topic === '' || topic.endsWith('#broken')
      ? []
      : [{ topic, partition: Number(partition), offset: version }]
  })
}
