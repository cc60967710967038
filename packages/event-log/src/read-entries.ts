import { blockFault, entriesOf, headerOf, recordsOf } from './block-format.ts'
import { EventLogError } from './errors.ts'
import type { LogBatch, LogEntry, PartitionInfo, PartitionLag } from './event-log.ts'
import type { Head, LmdbStore, Place } from './lmdb-store.ts'

export interface ReadRequest {
  readonly topic: string
  readonly partition: number
  readonly fromOffset: number
  readonly maxRecords: number
}

/** A batch ends after the block that brings it over this: bounds the memory of a reader. */
const BATCH_BYTES_MAX = 16 * 1024 * 1024

/** Consecutive entries from an offset on. Throws `LOG_TOPIC_UNKNOWN`, `LOG_PARTITION_UNKNOWN`, `LOG_CORRUPT`. */
export function readEntries(
  store: LmdbStore,
  { topic, partition, fromOffset, maxRecords }: ReadRequest,
): LogBatch {
  const { id, partitionCount } = store.known(topic)
  if (!Number.isInteger(partition) || partition < 0 || partition >= partitionCount) {
    throw new EventLogError(
      'LOG_PARTITION_UNKNOWN',
      `Topic "${topic}" has partitions 0 to ${partitionCount - 1}, found ${partition}`,
    )
  }
  const place: Place = { topicId: id, partition }
  const { start, end } = store.headOf(place)
  const first = Math.max(start, fromOffset)
  const entries: LogEntry[] = []
  let nextOffset = first
  let readBytes = 0
  let expected = first
  for (const { baseOffset, bytes } of store.blocks(place, first, end)) {
    const gap = baseOffset > expected ? `offset ${expected} is in none` : null
    const fault = gap ?? blockFault(bytes)
    if (fault !== null) throw damaged(`${topic}, partition ${partition}`, baseOffset, fault)
    expected = baseOffset + headerOf(bytes).count
    for (const entry of entriesOf(bytes, baseOffset, first)) {
      if (entries.length === maxRecords || entry.offset >= end) break
      entries.push(entry)
    }
    readBytes += bytes.length
    const last = entries.at(-1)
    if (entries.length === maxRecords) nextOffset = last === undefined ? first : last.offset + 1
    else nextOffset = Math.min(end, baseOffset + headerOf(bytes).count)
    if (entries.length === maxRecords || (readBytes >= BATCH_BYTES_MAX && entries.length > 0)) break
  }
  if (entries.length === 0 && nextOffset < end && maxRecords > 0)
    throw damaged(`${topic}, partition ${partition}`, nextOffset, `the log ends at ${end}`)
  return { topic, partition, entries, nextOffset, lost: Math.max(0, start - fromOffset) }
}

/** What was acknowledged and cannot be read must not be taken for the end of the log, nor be passed over. */
export function damaged(where: string, offset: number, fault: string): EventLogError {
  return new EventLogError(
    'LOG_CORRUPT',
    `The block of ${where}, at offset ${offset} is damaged (${fault}): restore the log's folder from a backup, or let repairLmdbEventLog (arus repair) leave a gap there`,
  )
}

export function partitionInfo(head: Head, partition: number): PartitionInfo {
  return {
    partition,
    startOffset: head.start,
    endOffset: head.end,
    newestTimestampMs: head.newest,
  }
}

/** How far a group is behind in a partition. */
export function partitionLag(
  store: LmdbStore,
  {
    topic,
    partition,
    committedOffset,
    nowMs,
  }: Pick<PartitionLag, 'topic' | 'partition' | 'committedOffset'> & { readonly nowMs: number },
): PartitionLag {
  const topicId = store.topics.get(topic)?.id
  const place: Place | null = topicId === undefined ? null : { topicId, partition }
  const { start, end } = place === null ? { start: 0, end: 0 } : store.headOf(place)
  const first = Math.max(start, committedOffset)
  const oldestMs = place === null || first >= end ? null : timeOf(store, place, first)
  return {
    topic,
    partition,
    committedOffset,
    endOffset: end,
    lag: Math.max(0, end - first),
    lagMs: oldestMs === null ? 0 : Math.max(0, nowMs - oldestMs),
    lost: Math.max(0, start - committedOffset),
  }
}

function timeOf(store: LmdbStore, place: Place, offset: number): number | null {
  const block = store.blockAt(place, offset)
  if (block === null || blockFault(block.bytes) !== null) return null
  let at = block.baseOffset
  for (const { timestampMs } of recordsOf(block.bytes)) if (at++ === offset) return timestampMs
  return null
}
