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
 * Row numbers ordered by several columns, ascending, the most significant first, all of one length; rows equal in all of
 * them are ordered by `compareTied`. Radix sort: three passes a column.
 */
export function orderByColumns(
  columns: readonly Uint32Array[],
  compareTied: (left: number, right: number) => number,
): Uint32Array {
  const rowCount = columns[0]?.length ?? 0
  let from: Keyed = { keys: new Uint32Array(rowCount), rows: new Uint32Array(rowCount) }
  let to: Keyed = { keys: new Uint32Array(rowCount), rows: new Uint32Array(rowCount) }
  for (let row = 0; row < rowCount; row++) from.rows[row] = row
  for (const column of columns.toReversed()) {
    const { keys, rows } = from
    for (let i = 0; i < rowCount; i++) keys[i] = column[rows[i]!]!
    for (const shift of SHIFTS) if (sortByDigit(from, to, shift)) [from, to] = [to, from]
  }
  orderTies(from.rows, columns, compareTied)
  return from.rows
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
  compareTied: (left: number, right: number) => number,
): void {
  // What is least significant differs in most neighbours, whatever they are tied in.
  const leastFirst = columns.toReversed()
  for (let start = 0; start < order.length; ) {
    let end = start + 1
    while (end < order.length && areTied(leastFirst, order[start]!, order[end]!)) end++
    if (end - start > 1) order.subarray(start, end).sort(compareTied)
    start = end
  }
}

function areTied(columns: readonly Uint32Array[], left: number, right: number): boolean {
  for (const column of columns) if (column[left] !== column[right]) return false
  return true
}
