import type { Decoded } from './bronze-columns.ts'
import { BROKEN, type Route } from './bronze-routes.ts'
import type { BronzeTables } from './bronze-tables.ts'
import { brokenLabel, positionOf, positionTransactions } from './log-positions.ts'

/** What stands in a range of a topic and is no record of it. */
export interface BrokenEntries {
  readonly broken: readonly Decoded[]
  /** Where each partition goes on after the range. */
  readonly next: ReadonlyMap<number, number>
}

/**
 * Broken entries are written first, in a table with progress of its own: after a crash between the two commits
 * those already there are left out, and partitions that went no further are not stated again. False when another
 * process was first.
 */
export async function appendBroken(
  bronze: BronzeTables,
  { topic }: Route,
  { broken, next }: BrokenEntries,
): Promise<boolean> {
  if (broken.length === 0) return true
  const label = brokenLabel(topic)
  const snapshot = await bronze.snapshot('bronze.rejected_events')
  const done = (partition: number) => positionOf(snapshot, label, partition) ?? 0
  const rows = broken.filter(({ partition, offset }) => offset >= done(partition))
  if (rows.length === 0) return true
  const further = new Map([...next].filter(([partition, offset]) => offset > done(partition)))
  const kind = await bronze.append('bronze.rejected_events', {
    mapping: BROKEN,
    rows,
    transactions: positionTransactions(label, further),
    readVersion: snapshot.version,
  })
  return kind === 'committed'
}
