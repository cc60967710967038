/** Few enough that the places written to in one pass stay in the first caches. */
const DIGIT_BITS = 11
const DIGITS = 1 << DIGIT_BITS
const SHIFTS = [0, DIGIT_BITS, 2 * DIGIT_BITS] as const

/** Row numbers, and the key of each. */
interface Keyed {
  readonly keys: Uint32Array
  readonly rows: Uint32Array
}

/**
 * Puts row numbers in order, column by column: the last one is the most significant. Radix sort (least significant digit
 * first), three passes a column.
 */
export class RadixOrder {
  /** Words that it works in, for each row. */
  static readonly WORDS = 4
  #from: Keyed
  #to: Keyed

  constructor(rowCount: number, words: Uint32Array = new Uint32Array(RadixOrder.WORDS * rowCount)) {
    const part = (n: number) => words.subarray(n * rowCount, (n + 1) * rowCount)
    this.#from = { keys: part(0), rows: part(1) }
    this.#to = { keys: part(2), rows: part(3) }
    for (let row = 0; row < rowCount; row++) this.#from.rows[row] = row
  }

  /** Row numbers in the order so far. */
  get rows(): Uint32Array {
    return this.#from.rows
  }

  /** Orders by a column, ascending; rows of one value stay as they are. The column is not looked at later. */
  by(column: Uint32Array): void {
    const { keys, rows } = this.#from
    for (let i = 0; i < rows.length; i++) keys[i] = column[rows[i]!]!
    for (const shift of SHIFTS)
      if (sortByDigit(this.#from, this.#to, shift)) [this.#from, this.#to] = [this.#to, this.#from]
  }

  /** Orders rows that are neighbours and equal in all of these columns. */
  settle(columns: readonly Uint32Array[], compare: (left: number, right: number) => number): void {
    orderTies(this.rows, columns, compare)
  }
}

/** Stable: rows of one digit keep their order. False, and `to` is as it was, when all rows have the same digit. */
function sortByDigit({ keys, rows }: Keyed, to: Keyed, shift: number): boolean {
  const toKeys = to.keys
  const toRows = to.rows
  const next = new Uint32Array(DIGITS + 1)
  for (let i = 0; i < keys.length; i++) next[((keys[i]! >>> shift) & (DIGITS - 1)) + 1]!++
  if (keys.length === 0 || next[((keys[0]! >>> shift) & (DIGITS - 1)) + 1] === keys.length) return false
  for (let digit = 0; digit < DIGITS; digit++) next[digit + 1]! += next[digit]!
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const place = next[(key >>> shift) & (DIGITS - 1)]!++
    toKeys[place] = key
    toRows[place] = rows[i]!
  }
  return true
}

function orderTies(
  order: Uint32Array,
  columns: readonly Uint32Array[],
  compare: (left: number, right: number) => number,
): void {
  // What is least significant differs in most neighbours, whatever they are tied in.
  const leastFirst = columns.toReversed()
  for (let start = 0; start < order.length; ) {
    let end = start + 1
    while (end < order.length && areTied(leastFirst, order[start]!, order[end]!)) end++
    if (end - start > 1) order.subarray(start, end).sort(compare)
    start = end
  }
}

function areTied(columns: readonly Uint32Array[], left: number, right: number): boolean {
  for (const column of columns) if (column[left] !== column[right]) return false
  return true
}
