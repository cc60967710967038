import { hash } from 'node:crypto'
import type { EventLog } from '@arus/event-log'
import type { Lake } from './lake.ts'

/** Whether an entry was removed with its shopper, though the log has it still. */
export type IsRemoved = (
  shopper: string,
  at: { readonly partition: number; readonly offset: number },
) => boolean

/** Up to where each removed shopper is left out, by topic and partition: rows of a relation of `bronze.removed_shoppers`. */
export function removalsSql(relation: string): string {
  return `SELECT shopper_hash, log_topic, log_partition, max(log_offset) AS log_offset FROM ${relation} GROUP BY ALL`
}

/**
 * What of a topic's entries is of shoppers who were removed, as the lake knows it now: of a log that cannot rewrite they are
 * read again. Entries that come from now on are never among them, in a log that was made anew under the same offsets either.
 */
export async function removalsOf(lake: Lake, log: EventLog, topic: string): Promise<IsRemoved> {
  const ends = new Map((await log.topic(topic)).partitions.map((part) => [part.partition, part.endOffset]))
  const until = new Map<string, number>()
  const lastOf = new Map<number, number>()
  for (const [shopper, partition, offset] of await removalsIn(lake, topic)) {
    const end = Math.min(offset, ends.get(partition) ?? 0)
    until.set(`${partition}/${shopper}`, end)
    lastOf.set(partition, Math.max(end, lastOf.get(partition) ?? 0))
  }
  return (shopper, { partition, offset }) => {
    // Most entries are beyond: those need no hash.
    if (offset >= (lastOf.get(partition) ?? 0)) return false
    return offset < (until.get(`${partition}/${hash('sha256', shopper)}`) ?? 0)
  }
}

async function removalsIn(lake: Lake, topic: string): Promise<(readonly [string, number, number])[]> {
  if (!(await lake.has('bronze.removed_shoppers'))) return []
  const { sql } = await lake.relation('bronze.removed_shoppers')
  const connection = await lake.duckdb.connect()
  try {
    const select = `SELECT shopper_hash, log_partition, log_offset::DOUBLE FROM (${removalsSql(sql)}) WHERE log_topic = $topic`
    const reader = await connection.runAndReadAll(select, { topic })
    return reader
      .getRows()
      .map(([shopper, partition, offset]) => [String(shopper), Number(partition), Number(offset)] as const)
  } finally {
    connection.closeSync()
  }
}
