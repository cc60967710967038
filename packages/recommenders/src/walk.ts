import { RecommenderError } from './errors.ts'
import type { FitSignal, Interactions } from './model.ts'
import { NeighbourModel } from './neighbour-model.ts'
import { type SparseMatrix, transpose, userItemMatrix } from './sparse-matrix.ts'
import { TopK } from './top-k.ts'

export interface WalkOptions {
  /** Exponent of the degree of the item the walk starts from. */
  readonly startExponent?: number
  /** Exponent of the degree of the user it passes. */
  readonly userExponent?: number
  /** Exponent of the degree of the item it ends at: the higher, the less popular items gain. */
  readonly endExponent?: number
  /** Neighbours kept of each item. */
  readonly neighbourCount?: number
}

const PROGRESS_STEP = 512
const DEFAULTS = { startExponent: 0.5, userExponent: 0.5, endExponent: 0.4, neighbourCount: 200 } as const

/**
 * Random walk of three steps on the graph of users and items, as an item–item matrix:
 *
 *   S_ij = Σ_u a_ui a_uj / (d_i^α · d_u^γ · d_j^β)
 *
 * with a_ui = 1 + ln(weight) of the interaction (1 for a weight of 1) and d the degrees. α = γ = 1, β = 0 is P³ (Cooper, Lee, Radzik, Siantos: "Random Walks in Recommender
 * Systems", WWW 2014, §3; here a walk from an item, §3.1's P³ being one from a user's items); β > 0 is RP³β (Paudel,
 * Christoffel, Newell, Bernstein: "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive
 * Applications", TiiS 2017, eq. 5). Only the best neighbours of each item are kept. Cost: Σ_u d_u² multiplications.
 */
export function fitWalk(
  interactions: Interactions,
  options: WalkOptions = {},
  signal: FitSignal = {},
): NeighbourModel {
  const params = { ...DEFAULTS, ...options }
  const byUser = withLogWeights(userItemMatrix(interactions))
  return new NeighbourModel('walk', fitNeighbours(byUser, params, signal), params)
}

/** The walk's item–item matrix, from users × items; see `fitWalk`. */
export function fitNeighbours(byUser: SparseMatrix, options: WalkOptions, signal: FitSignal): SparseMatrix {
  const { startExponent, userExponent, endExponent, neighbourCount } = { ...DEFAULTS, ...options }
  for (const [name, value] of Object.entries({ startExponent, userExponent, endExponent, neighbourCount })) {
    if (!Number.isFinite(value) || value < 0) {
      throw new RecommenderError(
        'MODEL_INPUT_INVALID',
        `${name} must be a number that is not negative, found ${value}`,
      )
    }
  }
  const byItem = transpose(byUser)
  const userFactor = powersOfDegrees(byUser, -userExponent)
  const endFactor = powersOfDegrees(byItem, -endExponent)
  const startFactor = powersOfDegrees(byItem, -startExponent)
  const itemCount = byUser.columnCount
  const starts = new Uint32Array(itemCount + 1)
  const rows: { items: Uint32Array; scores: Float32Array }[] = []
  const scores = new Float32Array(itemCount)
  const touched = new Uint32Array(itemCount)
  for (let item = 0; item < itemCount; item++) {
    if (item % PROGRESS_STEP === 0) {
      signal.signal?.throwIfAborted()
      signal.onProgress?.(item / itemCount)
    }
    const touchedCount = accumulate({ byUser, byItem, userFactor }, item, scores, touched)
    const top = new TopK(Math.min(neighbourCount, touchedCount))
    for (let n = 0; n < touchedCount; n++) {
      const other = touched[n]!
      if (other !== item) top.offer(other, scores[other]! * endFactor[other]! * startFactor[item]!)
      scores[other] = 0
    }
    const row = top.result()
    rows.push(row)
    starts[item + 1] = starts[item]! + row.items.length
  }
  signal.onProgress?.(1)
  const columns = new Uint32Array(starts[itemCount]!)
  const values = new Float32Array(starts[itemCount]!)
  for (const [item, row] of rows.entries()) {
    columns.set(row.items, starts[item])
    values.set(row.scores, starts[item])
  }
  return { rowCount: itemCount, columnCount: itemCount, starts, columns, values }
}

/** Adds up a_ui a_uj / d_u^γ into `scores`; returns how many items were touched. */
function accumulate(
  graph: { readonly byUser: SparseMatrix; readonly byItem: SparseMatrix; readonly userFactor: Float32Array },
  item: number,
  scores: Float32Array,
  touched: Uint32Array,
): number {
  const { byUser, byItem, userFactor } = graph
  let touchedCount = 0
  for (let n = byItem.starts[item]!; n < byItem.starts[item + 1]!; n++) {
    const user = byItem.columns[n]!
    const weight = byItem.values[n]! * userFactor[user]!
    const end = byUser.starts[user + 1]!
    for (let m = byUser.starts[user]!; m < end; m++) {
      const other = byUser.columns[m]!
      if (scores[other] === 0) touched[touchedCount++] = other
      scores[other]! += weight * byUser.values[m]!
    }
  }
  return touchedCount
}

/** 1 + ln(weight), for weights above 1. */
export function withLogWeights(matrix: SparseMatrix): SparseMatrix {
  return { ...matrix, values: matrix.values.map((value) => 1 + Math.log(Math.max(1, value))) }
}

function powersOfDegrees({ rowCount, starts }: SparseMatrix, exponent: number): Float32Array {
  return Float32Array.from(
    { length: rowCount },
    (_, row) => Math.max(1, starts[row + 1]! - starts[row]!) ** exponent,
  )
}
