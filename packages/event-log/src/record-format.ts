import type { LogEntry, LogRecord } from './event-log.ts'

/** Length that stands for a null key. */
const NULL_KEY = 0xffffffff
const HEADER_BYTES = 12

/**
 * A record as it stands in LMDB, big-endian: timestamp (f64, UTC ms), key length (u32, 0xffffffff for null), key
 * (UTF-8), value.
 */
export function encodeRecord(record: LogRecord): Buffer {
  const key = record.key === null ? null : Buffer.from(record.key, 'utf8')
  const keyLength = key?.length ?? 0
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + keyLength + record.value.length)
  bytes.writeDoubleBE(record.timestampMs, 0)
  bytes.writeUInt32BE(key === null ? NULL_KEY : keyLength, 8)
  if (key !== null) bytes.set(key, HEADER_BYTES)
  bytes.set(record.value, HEADER_BYTES + keyLength)
  return bytes
}

/** The entry; its value is a view of `bytes`, which must not be reused. */
export function decodeRecord(bytes: Buffer, offset: number): LogEntry {
  const length = bytes.readUInt32BE(8)
  const keyLength = length === NULL_KEY ? 0 : length
  return {
    offset,
    timestampMs: bytes.readDoubleBE(0),
    key: length === NULL_KEY ? null : bytes.toString('utf8', HEADER_BYTES, HEADER_BYTES + keyLength),
    value: bytes.subarray(HEADER_BYTES + keyLength),
  }
}

/** Time of an encoded record, without decoding the rest. */
export function timestampOf(bytes: Buffer): number {
  return bytes.readDoubleBE(0)
}

/** Key of an entry: topic (u16), partition (u16), offset (u64), big-endian, so that order of bytes is order of offsets. */
export function entryKey(topicId: number, partition: number, offset: number): Buffer {
  const key = Buffer.allocUnsafe(12)
  key.writeUInt16BE(topicId, 0)
  key.writeUInt16BE(partition, 2)
  key.writeBigUInt64BE(BigInt(offset), 4)
  return key
}

export function offsetOfKey(key: Buffer): number {
  return Number(key.readBigUInt64BE(4))
}
