import type { FitSignal, ScoredItems } from './model.ts'
import { type SparseMatrix, transpose } from './sparse-matrix.ts'
import { TopK } from './top-k.ts'

export interface CoOccurrenceOptions {
  readonly neighbourCount: number
  readonly pairScore: PairScore
  /** Weight of two items by how many places they are apart in a user's row, and in which direction. */
  readonly proximity?: Proximity
}

/** What two items weigh, from the sum over users; pairs of 0 and less are left out. */
export type PairScore = (sum: number, item: number, other: number) => number

/** The sum divided by norm of the item started from × norm of the item ended at + shrinkage. */
export function overNorms(startNorms: Float32Array, endNorms: Float32Array, shrinkage = 0): PairScore {
  return (sum, item, other) => sum / (startNorms[item]! * endNorms[other]! + shrinkage)
}

/** w(distance) = (1 + distance)^-exponent, times `backward` where the item ended at is the older one. */
export interface Proximity {
  readonly exponent: number
  readonly backward: number
}

const PROGRESS_STEP = 512

/**
 * The item–item matrix S_ij = score(Σ_u x_ui x_uj w(p_ui - p_uj)), rows cut to their best, itself left out; p are
 * places in the rows of `byUser`, which are newest first where `proximity` is asked for. Cost: Σ_u d_u² multiplications.
 */
export function coOccurrence(
  byUser: SparseMatrix,
  options: CoOccurrenceOptions,
  signal: FitSignal,
): SparseMatrix {
  const { neighbourCount, pairScore } = options
  const itemCount = byUser.columnCount
  const addUp = accumulator(byUser, options.proximity)
  const rows = new NeighbourRows(itemCount)
  const scores = new Float32Array(itemCount)
  const touched = new Uint32Array(itemCount)
  for (let item = 0; item < itemCount; item++) {
    if (item % PROGRESS_STEP === 0) {
      signal.signal?.throwIfAborted()
      signal.onProgress?.(item / itemCount)
    }
    const touchedCount = addUp(item, scores, touched)
    const top = new TopK(Math.min(neighbourCount, touchedCount))
    for (let n = 0; n < touchedCount; n++) {
      const other = touched[n]!
      const score = other === item ? 0 : pairScore(scores[other]!, item, other)
      if (score > 0) top.offer(other, score)
      scores[other] = 0
    }
    rows.add(top.result())
  }
  signal.onProgress?.(1)
  return rows.matrix()
}

/** Adds up a row into zeroed `scores`; returns how many items were touched. */
type Accumulator = (item: number, scores: Float32Array, touched: Uint32Array) => number

function accumulator(byUser: SparseMatrix, proximity: Proximity | undefined): Accumulator {
  const { starts, columns, values } = byUser
  if (proximity !== undefined && (proximity.exponent !== 0 || proximity.backward !== 1))
    return proximityAccumulator(byUser, proximity)
  const byItem = transpose(byUser)
  return (item, scores, touched) => {
    let touchedCount = 0
    for (let n = byItem.starts[item]!; n < byItem.starts[item + 1]!; n++) {
      const user = byItem.columns[n]!
      const weight = byItem.values[n]!
      const end = starts[user + 1]!
      for (let m = starts[user]!; m < end; m++) {
        const other = columns[m]!
        if (scores[other] === 0) touched[touchedCount++] = other
        scores[other]! += weight * values[m]!
      }
    }
    return touchedCount
  }
}

function proximityAccumulator(byUser: SparseMatrix, { exponent, backward }: Proximity): Accumulator {
  const { starts, columns, values } = byUser
  // Places instead of values: exact in float32 below 2^24 interactions of one user.
  const places = transpose({ ...byUser, values: placesInRows(byUser) })
  const byItem = transpose(byUser)
  let longest = 0
  for (let user = 0; user < byUser.rowCount; user++)
    longest = Math.max(longest, starts[user + 1]! - starts[user]!)
  const factors = Float32Array.from({ length: 2 * longest + 1 }, (_, n) => {
    const distance = n - longest
    return (1 + Math.abs(distance)) ** -exponent * (distance > 0 ? backward : 1)
  })
  return (item, scores, touched) => {
    let touchedCount = 0
    for (let n = byItem.starts[item]!; n < byItem.starts[item + 1]!; n++) {
      const user = byItem.columns[n]!
      const weight = byItem.values[n]!
      const end = starts[user + 1]!
      // Rows are newest first: a place further on is older.
      let at = longest - places.values[n]!
      for (let m = starts[user]!; m < end; m++) {
        const other = columns[m]!
        if (scores[other] === 0) touched[touchedCount++] = other
        scores[other]! += weight * values[m]! * factors[at++]!
      }
    }
    return touchedCount
  }
}

function placesInRows({ rowCount, starts, values }: SparseMatrix): Float32Array {
  const places = new Float32Array(values.length)
  for (let row = 0; row < rowCount; row++)
    for (let n = starts[row]!; n < starts[row + 1]!; n++) places[n] = n - starts[row]!
  return places
}

/** Entries there is room for at first. */
const ENTRIES_MIN = 2 ** 12
/** Room that is made beyond what the rows so far make expect of the others: pages that are not written to cost nothing. */
const SPARE = 1.2
const GROWTH_MAX = 4

/** Collects the rows of an item–item matrix, in the order of the items; those beyond the last are empty. */
export class NeighbourRows {
  readonly #itemCount: number
  readonly #starts: Uint32Array
  #rowCount = 0
  #columns = new Uint32Array(ENTRIES_MIN)
  #values = new Float32Array(ENTRIES_MIN)

  constructor(itemCount: number) {
    this.#itemCount = itemCount
    this.#starts = new Uint32Array(itemCount + 1)
  }

  add({ items, scores }: ScoredItems): void {
    const from = this.#starts[this.#rowCount++]!
    const to = from + items.length
    this.#starts[this.#rowCount] = to
    if (to > this.#columns.length) this.#growTo(to)
    this.#columns.set(items, from)
    this.#values.set(scores, from)
  }

  matrix(): SparseMatrix {
    const itemCount = this.#itemCount
    const entryCount = this.#starts[this.#rowCount]!
    return {
      rowCount: itemCount,
      columnCount: itemCount,
      starts: this.#starts.fill(entryCount, this.#rowCount),
      columns: this.#columns.subarray(0, entryCount),
      values: this.#values.subarray(0, entryCount),
    }
  }

  #growTo(entryCount: number): void {
    const expected = Math.ceil((SPARE * entryCount * this.#itemCount) / this.#rowCount)
    const columns = new Uint32Array(
      Math.max(entryCount, Math.min(expected, GROWTH_MAX * this.#columns.length)),
    )
    const values = new Float32Array(columns.length)
    columns.set(this.#columns)
    values.set(this.#values)
    this.#columns = columns
    this.#values = values
  }
}
