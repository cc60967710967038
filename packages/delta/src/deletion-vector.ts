import { crc32 } from 'node:zlib'
import { DeltaError } from './errors.ts'
import { decodeRoaring64 } from './roaring-bitmap.ts'
import type { Storage } from './storage.ts'

/** Protocol, "Deletion Vectors": where the indexes of a file's deleted rows are. */
export interface DeletionVectorDescriptor {
  /** `u`: a file named by an encoded UUID; `i`: inline; `p`: an absolute path. */
  readonly storageType: string
  readonly pathOrInlineDv: string
  /** Where it begins in its file, bytes; absent when inline. */
  readonly offset?: number | null
  readonly sizeInBytes: number
  readonly cardinality: number
  readonly maxRowIndex?: number | null
}

/** Tells a file's rows apart from the same file's with another vector (Protocol, "derived fields", `uniqueId`). */
export function deletionVectorId(vector: DeletionVectorDescriptor | null | undefined): string {
  if (!vector) return ''
  const at = vector.offset === null || vector.offset === undefined ? '' : `@${vector.offset}`
  return `${vector.storageType}${vector.pathOrInlineDv}${at}`
}

/** The vector's file, relative to the table's root or an absolute URI; null when inline. Throws `DELTA_LOG_CORRUPT`. */
export function deletionVectorPath(vector: DeletionVectorDescriptor): string | null {
  switch (vector.storageType) {
    case 'i':
      return null
    case 'p':
      return vector.pathOrInlineDv
    case 'u': {
      const encoded = vector.pathOrInlineDv.slice(-20)
      const prefix = vector.pathOrInlineDv.slice(0, -20)
      const name = `deletion_vector_${uuidOf(decodeBase85(encoded))}.bin`
      return prefix === '' ? name : `${prefix}/${name}`
    }
    default:
      throw new DeltaError(
        'DELTA_LOG_CORRUPT',
        `A deletion vector is of storage type "${vector.storageType}"; expected u, i or p`,
      )
  }
}

/** Indexes of the deleted rows, ascending. Throws `DELTA_FILE_CORRUPT`, and `DELTA_NOT_FOUND` when its file is gone. */
export async function readDeletionVector(
  storage: Storage,
  vector: DeletionVectorDescriptor,
): Promise<Float64Array> {
  const path = deletionVectorPath(vector)
  const bytes =
    path === null
      ? decodeBase85(vector.pathOrInlineDv).subarray(0, vector.sizeInBytes)
      : sliceOfFile(await storage.read(path), vector, path)
  const rows = decodeRoaring64(bytes)
  if (rows.length !== vector.cardinality) {
    throw new DeltaError(
      'DELTA_FILE_CORRUPT',
      `A deletion vector holds ${rows.length} rows; the log says ${vector.cardinality}`,
    )
  }
  return rows
}

/** Protocol, "Deletion Vector Files": size (big-endian), data, CRC-32. */
function sliceOfFile(file: Uint8Array, vector: DeletionVectorDescriptor, path: string): Uint8Array {
  const start = vector.offset ?? 1
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const end = start + 4 + vector.sizeInBytes
  if (start < 0 || file.byteLength < end + 4 || view.getInt32(start) !== vector.sizeInBytes) {
    throw new DeltaError('DELTA_FILE_CORRUPT', `${path} has no deletion vector at byte ${start}`)
  }
  const data = file.subarray(start + 4, end)
  if (view.getUint32(end) !== crc32(data)) {
    throw new DeltaError('DELTA_FILE_CORRUPT', `The deletion vector at byte ${start} of ${path} is damaged`)
  }
  return data
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
const DIGITS = new Map([...ALPHABET].map((character, i) => [character, i]))

const BLOCK_MAX = 2 ** 32

/**
 * ZeroMQ's Z85: five characters for four bytes (RFC 32/Z85). A last block that begins with one to three `#` stands for as
 * many bytes less, as Databricks writes vectors whose size is no multiple of four; it would overflow otherwise. Throws
 * `DELTA_LOG_CORRUPT`.
 */
export function decodeBase85(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor(text.length / 5) * 4)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < bytes.length; at += 4) {
    const block = text.slice((at / 4) * 5, (at / 4) * 5 + 5)
    const value = base85Value(block)
    if (value < BLOCK_MAX) view.setUint32(at, value)
    else return withLast(bytes.subarray(0, at), text.slice((at / 4) * 5))
  }
  return bytes
}

function withLast(bytes: Uint8Array, block: string): Uint8Array {
  const digits = block.replace(/^#{1,3}/, '')
  const byteCount = digits.length - 1
  const value = base85Value(digits)
  if (block.length !== 5 || value >= 256 ** byteCount) throw notBase85(block)
  const last = Array.from(
    { length: byteCount },
    (_, i) => Math.floor(value / 256 ** (byteCount - 1 - i)) % 256,
  )
  return Uint8Array.from([...bytes, ...last])
}

function base85Value(digits: string): number {
  let value = 0
  for (const character of digits) {
    const digit = DIGITS.get(character)
    if (digit === undefined) throw notBase85(digits)
    value = value * 85 + digit
  }
  return value
}

function notBase85(text: string): DeltaError {
  return new DeltaError('DELTA_LOG_CORRUPT', `"${text}" is not Z85 text`)
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
