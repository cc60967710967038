import { NeighbourRows } from './co-occurrence.ts'
import { gramRows, squaresOf } from './gram.ts'
import { withLogWeights } from './log-weights.ts'
import type { FitSignal, Interactions } from './model.ts'
import { NeighbourModel } from './neighbour-model.ts'
import { assertOptions } from './options.ts'
import { type SparseMatrix, transpose } from './sparse-matrix.ts'
import { userTimelines } from './timelines.ts'
import { TopK } from './top-k.ts'

export interface SlimOptions {
  /** λ: the larger, the fewer weights are not 0. An item that was seen with another by no more than this gets none. */
  readonly l1?: number
  /** β: the larger, the smaller the weights, and the more alike those of items that go together. */
  readonly l2?: number
  /** Items among which an item's neighbours are looked for: those most often seen with it. */
  readonly candidateCount?: number
  /** An item is solved when no weight changes by more than this in a pass. */
  readonly tolerance?: number
  /** Passes over an item's candidates at most. */
  readonly passesMax?: number
}

const DEFAULTS = { l1: 0.1, l2: 100, candidateCount: 200, tolerance: 1e-4, passesMax: 50 } as const
const RANGES = {
  l1: 'not negative',
  l2: 'not negative',
  candidateCount: 'count',
  tolerance: 'not negative',
  passesMax: 'count',
} as const
const PROGRESS_STEP = 256

/**
 * Sparse linear method, SLIM (Ning and Karypis: "SLIM: Sparse Linear Methods for Top-N Recommender Systems", ICDM 2011, eq. 4): each
 * column w of the item–item matrix predicts its item j from the others,
 *
 *   min ½ |x_j - X w|² + β/2 |w|² + λ |w|₁   where w ≥ 0, w_j = 0,
 *
 * by coordinate descent on G = XᵀX (Friedman, Hastie, Tibshirani: "Regularization Paths for Generalized Linear Models via
 * Coordinate Descent", J. Stat. Softw. 2010, §2.2 and §2.6): w_i = max(0, G_ij - Σ_(k≠i) G_ik w_k - λ) / (G_ii + β). As G and w are not
 * negative, w_i is 0 wherever G_ij ≤ λ; of the others those most often seen with j are candidates, as in the paper's
 * fsSLIM (§IV-C), which takes the most similar. x_ui = 1 + ln(weight). Rows of G are cut to 1,000 entries: larger catalogues are solved nearly.
 */
export function fitSlim(
  interactions: Interactions,
  options: SlimOptions = {},
  signal: FitSignal = {},
): NeighbourModel {
  const params = { ...DEFAULTS, ...options }
  assertOptions(params, RANGES)
  signal.signal?.throwIfAborted()
  const byUser = withLogWeights(userTimelines(interactions))
  const gram = gramRows(byUser, { ...signal, onProgress: (done) => signal.onProgress?.(done / 2) })
  const problem = new ColumnProblem(gram, squaresOf(byUser), params)
  const columns = new NeighbourRows(byUser.columnCount)
  for (let item = 0; item < byUser.columnCount; item++) {
    if (item % PROGRESS_STEP === 0) {
      signal.signal?.throwIfAborted()
      signal.onProgress?.(0.5 + item / byUser.columnCount / 2)
    }
    columns.add(problem.solve(item))
  }
  signal.onProgress?.(1)
  return new NeighbourModel('slim', transpose(columns.matrix()), params)
}

/** Solves columns one after the other, in buffers that are used again. */
class ColumnProblem {
  readonly #gram: SparseMatrix
  readonly #squares: Float32Array
  readonly #params: Required<SlimOptions>
  /** Place among the candidates of the column at hand; -1 elsewhere. */
  readonly #placeOf: Int32Array
  readonly #weights: Float64Array
  /** (G w)_i of each candidate i, without G_ii w_i. */
  readonly #predicted: Float64Array
  /** Rows of G among the candidates, of those whose weight ever changed. */
  readonly #rows: Float32Array
  readonly #hasRow: Uint8Array
  /** Places of candidates that had a weight above 0 in this column. */
  readonly #active: Uint32Array
  #candidates: Uint32Array = new Uint32Array()
  #targets: Float32Array = new Float32Array()
  #activeCount = 0

  constructor(gram: SparseMatrix, squares: Float32Array, params: Required<SlimOptions>) {
    const size = Math.min(params.candidateCount, gram.columnCount)
    this.#gram = gram
    this.#squares = squares
    this.#params = params
    this.#placeOf = new Int32Array(gram.columnCount).fill(-1)
    this.#weights = new Float64Array(size)
    this.#predicted = new Float64Array(size)
    this.#rows = new Float32Array(size * size)
    this.#hasRow = new Uint8Array(size)
    this.#active = new Uint32Array(size)
  }

  /** The items that predict `item`, and their weights, the largest first. */
  solve(item: number): { readonly items: Uint32Array; readonly scores: Float32Array } {
    this.#begin(item)
    const { tolerance, passesMax } = this.#params
    for (let pass = 0; pass < passesMax; pass++) {
      if (this.#passOverAll() <= tolerance) break
      while (pass < passesMax && this.#passOverActive() > tolerance) pass++
    }
    const top = new TopK(this.#activeCount)
    for (let n = 0; n < this.#activeCount; n++) {
      const place = this.#active[n]!
      if (this.#weights[place]! > 0) top.offer(this.#candidates[place]!, this.#weights[place]!)
    }
    for (const candidate of this.#candidates) this.#placeOf[candidate] = -1
    return top.result()
  }

  #begin(item: number): void {
    const { starts, columns, values } = this.#gram
    const from = starts[item]!
    const end = Math.min(starts[item + 1]!, from + this.#weights.length)
    let to = from
    while (to < end && values[to]! > this.#params.l1) to++
    this.#candidates = columns.subarray(from, to)
    this.#targets = values.subarray(from, to)
    for (const [place, candidate] of this.#candidates.entries()) this.#placeOf[candidate] = place
    this.#weights.fill(0)
    this.#predicted.fill(0)
    this.#hasRow.fill(0)
    this.#activeCount = 0
  }

  #passOverAll(): number {
    let most = 0
    for (let place = 0; place < this.#candidates.length; place++) most = Math.max(most, this.#improve(place))
    return most
  }

  #passOverActive(): number {
    let most = 0
    for (let n = 0; n < this.#activeCount; n++) most = Math.max(most, this.#improve(this.#active[n]!))
    return most
  }

  /** Puts one weight where the objective is least, the others as they are; returns by how much it changed. */
  #improve(place: number): number {
    const { l1, l2 } = this.#params
    const square = this.#squares[this.#candidates[place]!]!
    const before = this.#weights[place]!
    const weight = Math.max(0, this.#targets[place]! - this.#predicted[place]! - l1) / (square + l2)
    const change = weight - before
    if (change === 0) return 0
    if (this.#hasRow[place] === 0) this.#fillRow(place)
    const count = this.#candidates.length
    const from = place * this.#weights.length
    for (let n = 0; n < count; n++) this.#predicted[n]! += change * this.#rows[from + n]!
    this.#weights[place] = weight
    return Math.abs(change)
  }

  #fillRow(place: number): void {
    const { starts, columns, values } = this.#gram
    const item = this.#candidates[place]!
    const from = place * this.#weights.length
    this.#rows.fill(0, from, from + this.#candidates.length)
    for (let at = starts[item]!; at < starts[item + 1]!; at++) {
      const other = this.#placeOf[columns[at]!]!
      if (other >= 0) this.#rows[from + other] = values[at]!
    }
    this.#hasRow[place] = 1
    this.#active[this.#activeCount++] = place
  }
}
