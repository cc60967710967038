import type { Snapshot } from '@arus/delta'
import { ArusError } from '../errors.ts'
import type { TableName } from './table-names.ts'

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
export function positionsIn({ transactions }: Pick<Snapshot, 'transactions'>): LogPosition[] {
  return positionsAmong([...transactions.values()])
}

/** Positions of whole topics among transactions. */
export function positionsAmong(
  transactions: readonly { readonly appId: string; readonly version: number }[],
): LogPosition[] {
  return transactions.flatMap(({ appId, version }) => {
    const [, topic = '', partition = ''] = /^arus-lake-(.+)-(\d+)$/.exec(appId) ?? []
    return topic === '' || topic.endsWith('#broken')
      ? []
      : [{ topic, partition: Number(partition), offset: version }]
  })
}

/** Offsets begin anew in a log that was put in place of another: what comes would be taken for what is in the lake. */
export function anotherLog(
  table: TableName,
  { topic, partition, offset }: LogPosition,
  endOffset: number,
): ArusError {
  return new ArusError(
    'INTERNAL',
    `${table} holds ${topic} partition ${partition} up to offset ${offset}, but the log ends at ${endOffset}: this is not the log it was written from. Bring that log back, or move the lake's bronze folder away to begin with this one`,
  )
}
