import { crc32 } from 'node:zlib'
import type { LogEntry, LogRecord } from './event-log.ts'

/** Bytes of one LMDB page, and of the header LMDB writes before a value that has pages of its own. */
export const PAGE_BYTES = 4_096
const PAGE_HEADER_BYTES = 24
/** A block takes whole pages, so that no byte of a shopper ever stands in a page with anything else. */
export const ONE_PAGE_BYTES = PAGE_BYTES - PAGE_HEADER_BYTES
/** Records are gathered into blocks up to this length; a longer record has a block of its own. */
export const BLOCK_BYTES_MAX = 16 * PAGE_BYTES - PAGE_HEADER_BYTES

const CHECKSUM_BYTES = 4
const BLOCK_HEADER_BYTES = 20
const RECORD_HEADER_BYTES = 16
/** Key lengths that stand for a null key, and for a record that was erased. */
const NULL_KEY = 0xffffffff
const ERASED = 0xfffffffe

/** What stands at the head of a block. */
export interface BlockHeader {
  readonly count: number
  /** Bytes in use; zeros follow. */
  readonly usedBytes: number
  /** Time of the newest record, UTC ms. */
  readonly newestMs: number
}

/** A record about to be written. `null` keeps the offset of one that was erased. */
export interface BlockRecord {
  readonly timestampMs: number
  readonly record: LogRecord | null
}

export const EMPTY_BLOCK: BlockHeader = {
  count: 0,
  usedBytes: BLOCK_HEADER_BYTES,
  newestMs: Number.NEGATIVE_INFINITY,
}

export function recordBytes(record: LogRecord): number {
  const keyBytes = record.key === null ? 0 : Buffer.byteLength(record.key)
  return RECORD_HEADER_BYTES + keyBytes + record.value.length
}

/**
 * A block, big-endian: CRC-32 of what follows up to the bytes in use (u32), record count (u32), bytes in use (u32), newest
 * timestamp (f64), then each record as timestamp (f64), key length (u32), value length (u32), key (UTF-8), value; zeros
 * up to the end of the last page. It begins with the records of `before`, which must be whole.
 */
export function encodeBlock(before: Buffer | null, records: readonly BlockRecord[]): Buffer {
  const known = before === null ? EMPTY_BLOCK : headerOf(before)
  const usedBytes = records.reduce(
    (total, { record }) => total + (record === null ? RECORD_HEADER_BYTES : recordBytes(record)),
    known.usedBytes,
  )
  const block = Buffer.allocUnsafe(wholePages(usedBytes))
  before?.copy(block, 0, 0, known.usedBytes)
  let at = known.usedBytes
  let newestMs = known.newestMs
  for (const { timestampMs, record } of records) {
    at = writeRecord(block, at, timestampMs, record)
    newestMs = Math.max(newestMs, timestampMs)
  }
  block.fill(0, at)
  block.writeUInt32BE(known.count + records.length, 4)
  block.writeUInt32BE(at, 8)
  block.writeDoubleBE(newestMs, 12)
  block.writeUInt32BE(crc32(block.subarray(CHECKSUM_BYTES, at)), 0)
  return block
}

export function headerOf(block: Buffer): BlockHeader {
  return {
    count: block.readUInt32BE(4),
    usedBytes: block.readUInt32BE(8),
    newestMs: block.readDoubleBE(12),
  }
}

/** Why these bytes are no block as it was written; null when they are. */
export function blockFault(block: Buffer): string | null {
  if (block.length < BLOCK_HEADER_BYTES) return `${block.length} bytes are too few`
  const { count, usedBytes } = headerOf(block)
  if (count === 0 || usedBytes < BLOCK_HEADER_BYTES || usedBytes > block.length)
    return `it says ${count} records in ${usedBytes} bytes`
  const isWhole = crc32(block.subarray(CHECKSUM_BYTES, usedBytes)) === block.readUInt32BE(0)
  return isWhole ? null : 'its checksum is another'
}

/** The block's records in order; of one that was erased, only its time. Values are views of `block`. */
export function* recordsOf(block: Buffer): Generator<BlockRecord> {
  const { count } = headerOf(block)
  let at = BLOCK_HEADER_BYTES
  for (let i = 0; i < count; i++) {
    const timestampMs = block.readDoubleBE(at)
    const length = block.readUInt32BE(at + 8)
    const valueAt = at + RECORD_HEADER_BYTES + (length >= ERASED ? 0 : length)
    const end = valueAt + block.readUInt32BE(at + 12)
    if (length === ERASED) yield { timestampMs, record: null }
    else {
      const key = length === NULL_KEY ? null : block.toString('utf8', at + RECORD_HEADER_BYTES, valueAt)
      yield { timestampMs, record: { key, value: block.subarray(valueAt, end), timestampMs } }
    }
    at = end
  }
}

/** Entries of a block that begins at `baseOffset`, from an offset on, without those that were erased. */
export function* entriesOf(block: Buffer, baseOffset: number, fromOffset: number): Generator<LogEntry> {
  let offset = baseOffset
  for (const { record } of recordsOf(block)) {
    if (record !== null && offset >= fromOffset) yield { ...record, offset }
    offset += 1
  }
}

/** Length of the value that holds so many bytes and fills its pages. */
function wholePages(usedBytes: number): number {
  return Math.ceil((usedBytes + PAGE_HEADER_BYTES) / PAGE_BYTES) * PAGE_BYTES - PAGE_HEADER_BYTES
}

function writeRecord(block: Buffer, at: number, timestampMs: number, record: LogRecord | null): number {
  const start = at + RECORD_HEADER_BYTES
  block.writeDoubleBE(timestampMs, at)
  if (record === null) {
    block.writeUInt32BE(ERASED, at + 8)
    block.writeUInt32BE(0, at + 12)
    return start
  }
  const keyBytes = record.key === null ? 0 : block.write(record.key, start, 'utf8')
  block.writeUInt32BE(record.key === null ? NULL_KEY : keyBytes, at + 8)
  block.writeUInt32BE(record.value.length, at + 12)
  block.set(record.value, start + keyBytes)
  return start + keyBytes + record.value.length
}
