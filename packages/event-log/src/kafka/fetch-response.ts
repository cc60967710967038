import type { KafkaRecord, RecordsBatch } from '@platformatic/kafka'
import type { LogEntry } from '../event-log.ts'

/** Attributes of a batch (Kafka protocol, "Record Batch"). */
const IS_LOG_APPEND_TIME = 1 << 3
const IS_TRANSACTIONAL = 1 << 4
const IS_CONTROL = 1 << 5
/** Type in the key of a control record, after its version. */
const ABORT = 0

export interface FetchedBatches {
  readonly records?: readonly RecordsBatch[] | null
  /** Of transactions that were aborted and reach into these batches. */
  readonly abortedTransactions:
    | readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]
    | null
}

/**
 * Entries of what a fetch brought from an offset on, and where to go on. Left out are records of aborted transactions and
 * control records: their offsets are gaps. Keys are read as UTF-8; a record without a value has an empty one.
 */
export function entriesOf(
  fetched: FetchedBatches,
  fromOffset: number,
): { entries: LogEntry[]; nextOffset: number } {
  const entries: LogEntry[] = []
  const aborted = new AbortedTransactions(fetched)
  let nextOffset = fromOffset
  for (const batch of fetched.records ?? []) {
    const baseOffset = Number(batch.firstOffset)
    nextOffset = Math.max(nextOffset, baseOffset + batch.lastOffsetDelta + 1)
    if (aborted.leavesOut(batch)) continue
    const timeOf = times(batch)
    for (const record of batch.records) {
      const offset = baseOffset + record.offsetDelta
      // A fetch brings whole batches: the first may begin before what was asked for.
      if (offset < fromOffset) continue
      entries.push({
        key: record.key === null ? null : record.key.toString('utf8'),
        value: record.value ?? EMPTY,
        timestampMs: timeOf(record),
        offset,
      })
    }
  }
  return { entries, nextOffset }
}

const EMPTY = new Uint8Array(0)

function times({ attributes, firstTimestamp, maxTimestamp }: RecordsBatch): (record: KafkaRecord) => number {
  const first = Number(firstTimestamp)
  if ((attributes & IS_LOG_APPEND_TIME) === 0) return (record) => first + Number(record.timestampDelta)
  const appendedMs = Number(maxTimestamp)
  return () => appendedMs
}

/**
 * Follows which producers' transactions are being aborted, batch by batch, as Kafka's own consumer does. (The client
 * library keeps one range a producer, and lets records through whose marker is not in the same answer.)
 */
class AbortedTransactions {
  readonly #waiting: { readonly producerId: bigint; readonly firstOffset: bigint }[]
  readonly #open = new Set<bigint>()

  constructor({ abortedTransactions }: FetchedBatches) {
    this.#waiting = [...(abortedTransactions ?? [])].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  }

  /** True for a batch whose records nobody is to see. Batches are given in order. */
  leavesOut({ attributes, firstOffset, lastOffsetDelta, producerId, records }: RecordsBatch): boolean {
    const lastOffset = firstOffset + BigInt(lastOffsetDelta)
    while (this.#waiting.length > 0 && this.#waiting[0]!.firstOffset <= lastOffset)
      this.#open.add(this.#waiting.shift()!.producerId)
    if ((attributes & IS_CONTROL) !== 0) {
      if (records[0]?.key?.readInt16BE(2) === ABORT) this.#open.delete(producerId)
      return true
    }
    return (attributes & IS_TRANSACTIONAL) !== 0 && this.#open.has(producerId)
  }
}
