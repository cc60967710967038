import { DeltaError } from './errors.ts'

/** Protocol, "Deletion Vector Format": the portable serialisation with 64-bit keys. */
const MAGIC_PORTABLE = 1681511377
/** An older one, in which bitmaps follow one another from key 0, each after its size; the protocol's inline example has it. */
const MAGIC_NATIVE = 1681511376
const COOKIE_NO_RUNS = 12346
const COOKIE_RUNS = 12347
const ARRAY_MAX = 4096
const NO_OFFSET_THRESHOLD = 4
const BITMAP_BYTES = 8192

/**
 * Row indexes of a serialised 64-bit roaring bitmap, ascending. Layout: Protocol, "Deletion Vector Format" around the
 * 32-bit bitmaps of the public Roaring format specification. Throws `DELTA_FILE_CORRUPT`.
 */
export function decodeRoaring64(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const values: number[] = []
    if (view.getInt32(0, true) === MAGIC_PORTABLE) decodePortable(view, values)
    else if (view.getInt32(0, true) === MAGIC_NATIVE) decodeNative(view, true, values)
    else if (view.getInt32(0) === MAGIC_NATIVE) decodeNative(view, false, values)
    else throw corrupt(`magic number ${view.getInt32(0, true)}`)
    return Float64Array.from(values)
  } catch (error) {
    if (error instanceof RangeError) throw corrupt('it ends too early', error)
    throw error
  }
}

function decodePortable(view: DataView, into: number[]): void {
  const bitmapCount = Number(view.getBigInt64(4, true))
  let at = 12
  for (let i = 0; i < bitmapCount; i++) {
    const high = view.getUint32(at, true) * 2 ** 32
    at = decode32(view, at + 4, high, into)
  }
}

function decodeNative(view: DataView, isLittleEndian: boolean, into: number[]): void {
  const bitmapCount = view.getInt32(4, isLittleEndian)
  let at = 8
  for (let i = 0; i < bitmapCount; i++) {
    const sizeBytes = view.getInt32(at, isLittleEndian)
    decode32(view, at + 4, i * 2 ** 32, into)
    at += 4 + sizeBytes
  }
}

/** Reads one 32-bit bitmap at `at`, adds its values to `into`; returns where it ends. */
function decode32(view: DataView, at: number, high: number, into: number[]): number {
  const cookie = view.getUint32(at, true)
  const hasRuns = (cookie & 0xffff) === COOKIE_RUNS
  if (!hasRuns && cookie !== COOKIE_NO_RUNS) throw corrupt(`cookie ${cookie}`)
  const count = hasRuns ? (cookie >>> 16) + 1 : view.getUint32(at + 4, true)
  if (count > 65_536) throw corrupt(`${count} containers`)
  let position = at + (hasRuns ? 4 : 8)
  const runFlags = position
  if (hasRuns) position += (count + 7) >>> 3
  const headers = position
  position += count * 4
  if (!hasRuns || count >= NO_OFFSET_THRESHOLD) position += count * 4
  for (let i = 0; i < count; i++) {
    const base = high + view.getUint16(headers + i * 4, true) * 65_536
    const cardinality = view.getUint16(headers + i * 4 + 2, true) + 1
    const isRun = hasRuns && (view.getUint8(runFlags + (i >>> 3)) & (1 << (i & 7))) !== 0
    if (isRun) position = decodeRuns(view, position, base, into)
    else if (cardinality <= ARRAY_MAX) position = decodeArray(view, { at: position, base, cardinality }, into)
    else position = decodeBits(view, position, base, into)
  }
  return position
}

function decodeRuns(view: DataView, at: number, base: number, into: number[]): number {
  const runCount = view.getUint16(at, true)
  if (runCount > 32_768) throw corrupt(`${runCount} runs in a container`)
  for (let i = 0; i < runCount; i++) {
    const start = view.getUint16(at + 2 + i * 4, true)
    const length = view.getUint16(at + 4 + i * 4, true)
    if (start + length > 0xffff) throw corrupt(`a run of ${length + 1} rows from ${start}`)
    for (let k = 0; k <= length; k++) into.push(base + start + k)
  }
  return at + 2 + runCount * 4
}

function decodeArray(
  view: DataView,
  { at, base, cardinality }: { at: number; base: number; cardinality: number },
  into: number[],
): number {
  for (let i = 0; i < cardinality; i++) into.push(base + view.getUint16(at + i * 2, true))
  return at + cardinality * 2
}

function decodeBits(view: DataView, at: number, base: number, into: number[]): number {
  for (let byte = 0; byte < BITMAP_BYTES; byte++) {
    const bits = view.getUint8(at + byte)
    for (let bit = 0; bits >>> bit !== 0; bit++) {
      if ((bits >>> bit) & 1) into.push(base + byte * 8 + bit)
    }
  }
  return at + BITMAP_BYTES
}

function corrupt(what: string, cause?: unknown): DeltaError {
  return new DeltaError('DELTA_FILE_CORRUPT', `A deletion vector cannot be read: ${what}`, cause)
}
