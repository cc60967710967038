import type { ByteList } from './byte-list.ts'
import type { ColumnFile } from './column-file.ts'
import { RadixOrder } from './radix-order.ts'

/** What products are ordered by, each by the number of its line. */
export interface OrderKeys {
  readonly popularity: ColumnFile<Float32Array>
  /** NaN for none. */
  readonly stars: ColumnFile<Float64Array>
  /** 1 for a best seller. */
  readonly isBestSeller: ColumnFile<Uint8Array>
  readonly ids: ByteList
  /** Where columns are read to, 8 bytes for each product. */
  readonly memory: ArrayBuffer
  /** To work in, `ORDER_WORDS` for each product. */
  readonly words: Uint32Array
}

export const ORDER_WORDS = RadixOrder.WORDS + 1

const SIGN = 0x80000000

/**
 * Numbers of lines in the order of documents: by popularity, then best sellers, then stars (none last), all descending, then
 * product id.
 */
export function orderDocuments({
  popularity,
  stars,
  isBestSeller,
  ids,
  memory,
  words,
}: OrderKeys): Uint32Array {
  const order = new RadixOrder(ids.count, words.subarray(0, RadixOrder.WORDS * ids.count))
  const keys = words.subarray(RadixOrder.WORDS * ids.count)
  ids.order(order, keys, new Uint32Array(memory, 0, ids.count))
  order.by(ratings(keys, { stars, isBestSeller, memory }))
  order.by(descendingBits(keys, popularity.read(memory)))
  return Uint32Array.from(order.rows)
}

/** Best sellers and stars as one number, written to `keys`. */
function ratings(
  keys: Uint32Array,
  { stars, isBestSeller, memory }: Pick<OrderKeys, 'stars' | 'isBestSeller' | 'memory'>,
): Uint32Array {
  const numbers = stars.read(memory)
  descendingBits(keys, numbers)
  // Ratings are not negative, which leaves the sign bit for best sellers and the greatest value for none.
  for (let line = 0; line < keys.length; line++)
    keys[line] = Number.isNaN(numbers[line]!) ? SIGN - 1 : keys[line]! - 1
  const best = isBestSeller.read(memory)
  for (let line = 0; line < keys.length; line++) if (best[line] !== 1) keys[line]! += SIGN
  return keys
}

/** Unsigned integers, ascending as the numbers descend; below 2 ** 31 where these are not negative. */
function descendingBits(bits: Uint32Array, values: Float32Array | Float64Array): Uint32Array {
  new Float32Array(bits.buffer, bits.byteOffset, bits.length).set(values)
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!
    if (value < SIGN) bits[i] = SIGN - 1 - value
  }
  return bits
}
