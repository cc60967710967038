import type { ByteList } from './byte-list.ts'
import { orderByColumns } from './radix-order.ts'

/** What products are ordered by, each by the number of its line. */
export interface OrderKeys {
  readonly popularity: Float32Array
  /** NaN for none. */
  readonly stars: Float32Array
  /** 1 for a best seller. */
  readonly isBestSeller: Uint8Array
  readonly ids: ByteList
}

const SIGN = 0x80000000

/**
 * Numbers of lines in the order of documents: by popularity, then best sellers, then stars (none last), all descending, then
 * product id.
 */
export function orderDocuments({ popularity, stars, isBestSeller, ids }: OrderKeys): Uint32Array {
  const least = descendingBits(stars)
  for (let line = 0; line < least.length; line++) {
    // Ratings are not negative, which leaves the sign bit for best sellers and the greatest value for none.
    const rating = Number.isNaN(stars[line]!) ? SIGN - 1 : least[line]! - 1
    least[line] = isBestSeller[line] === 1 ? rating : rating + SIGN
  }
  // The heads of ids settle almost every tie, and for a fraction of what comparing them costs.
  return orderByColumns(
    [descendingBits(popularity), least, ids.fourBytes(0), ids.fourBytes(4)],
    (left, right) => ids.compare(left, right),
  )
}

/** Unsigned integers, ascending as the numbers descend; below 2 ** 31 where these are not negative. */
function descendingBits(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer)
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!
    if (value < SIGN) bits[i] = SIGN - 1 - value
  }
  return bits
}
