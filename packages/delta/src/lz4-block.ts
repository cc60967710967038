/**
 * The bytes of an LZ4 block, as Parquet's LZ4_RAW has them ("LZ4 Block Format Description", Y. Collet: each sequence is a
 * token, literals, and a copy of what came before). Throws a RangeError where they do not come to `length` bytes.
 */
export function lz4Block(block: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  let at = 0
  let end = 0
  const next = (): number => {
    const byte = block[at++]
    if (byte === undefined) throw new RangeError('an LZ4 block ends too early')
    return byte
  }
  /** A length of four bits, which goes on in further bytes when they are all set. */
  const lengthFrom = (bits: number): number => {
    let sum = bits
    for (let byte = bits === 15 ? 255 : 0; byte === 255; sum += byte) byte = next()
    return sum
  }
  while (at < block.length) {
    const token = next()
    const literalCount = lengthFrom(token >> 4)
    const literals = block.subarray(at, at + literalCount)
    at += literals.length
    out.set(literals, end)
    end += literals.length
    // The last sequence has literals only.
    if (at >= block.length) break
    const distance = next() | (next() << 8)
    if (distance === 0 || distance > end) throw new RangeError('an LZ4 block copies what is not there')
    const copyEnd = end + MATCH_MIN + lengthFrom(token & 15)
    if (copyEnd > length) throw new RangeError('an LZ4 block is longer than it says')
    // Byte by byte: a copy may run into what it has written itself.
    for (; end < copyEnd; end++) out[end] = out[end - distance] ?? 0
  }
  if (end !== length) throw new RangeError(`an LZ4 block has ${end} bytes, not ${length}`)
  return out
}

/** No shorter match is stored. */
const MATCH_MIN = 4
