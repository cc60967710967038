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
  if (file.byteLength < end + 4 || view.getInt32(start) !== vector.sizeInBytes) {
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

/** ZeroMQ's Z85: five characters for four bytes (RFC 32/Z85). Throws `DELTA_LOG_CORRUPT`. */
export function decodeBase85(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor(text.length / 5) * 4)
  const view = new DataView(bytes.buffer)
  for (let block = 0; block < bytes.length / 4; block++) {
    let value = 0
    for (let i = 0; i < 5; i++) {
      const digit = DIGITS.get(text[block * 5 + i] ?? '')
      if (digit === undefined) {
        throw new DeltaError('DELTA_LOG_CORRUPT', `"${text.slice(0, 40)}" is not Z85 text`)
      }
      value = value * 85 + digit
    }
    view.setUint32(block * 4, value)
  }
  return bytes
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
