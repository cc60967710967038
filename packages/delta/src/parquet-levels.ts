/**
 * Decodes small whole numbers of Parquet's "RLE/bit-packing hybrid" (levels, indexes into dictionaries) until `into`, all
 * zero before, is full. `width` is in bits; numbers of none are not stored. Throws a RangeError where there are too few.
 */
export function readHybrid(bytes: Uint8Array, width: number, into: Uint8Array | Uint32Array): void {
  if (width === 0) return
  if (width > WIDTH_MAX) throw new RangeError(`numbers of ${width} bits`)
  let at = 0
  let seen = 0
  while (seen < into.length) {
    const header = varint(bytes, at)
    at = header.end
    // A run's length is not believed beyond what is wanted.
    const left = into.length - seen
    if (header.value & 1) {
      const groups = header.value >>> 1
      const count = Math.min(groups * 8, left)
      unpack(bytes, { at, width }, into.subarray(seen, seen + count))
      at += groups * width
      seen += count
    } else {
      const count = Math.min(header.value >>> 1, left)
      into.fill(wholeNumber(bytes, at, (width + 7) >> 3), seen, seen + count)
      at += (width + 7) >> 3
      seen += count
    }
  }
}

/** Bits of the largest level. */
export function bitWidth(max: number): number {
  return 32 - Math.clz32(max)
}

/** Beyond that a number would not fit into what is shifted; a dictionary has fewer entries. */
const WIDTH_MAX = 24

function unpack(
  bytes: Uint8Array,
  from: { readonly at: number; readonly width: number },
  into: Uint8Array | Uint32Array,
): void {
  const mask = 2 ** from.width - 1
  let at = from.at
  let waiting = 0
  let bits = 0
  for (let i = 0; i < into.length; i++) {
    while (bits < from.width) {
      waiting |= byteAt(bytes, at++) << bits
      bits += 8
    }
    into[i] = waiting & mask
    waiting >>>= from.width
    bits -= from.width
  }
}

function varint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let at = start, shift = 0; ; at++, shift += 7) {
    const byte = byteAt(bytes, at)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return { value: value >>> 0, end: at + 1 }
  }
}

function wholeNumber(bytes: Uint8Array, at: number, byteCount: number): number {
  let value = 0
  for (let i = 0; i < byteCount; i++) value |= byteAt(bytes, at + i) << (8 * i)
  return value
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new RangeError('levels or indexes end too early')
  return byte
}
