import { inOwnMemory, openKernels } from './kernels/open-kernels.ts'
import { leadingSubspace } from './leading-subspace.ts'
import { withLogWeights } from './log-weights.ts'
import { type LowPassFilter, LowPassModel } from './low-pass-model.ts'
import type { FitSignal, Interactions } from './model.ts'
import type { NeighbourModel } from './neighbour-model.ts'
import { assertOptions } from './options.ts'
import { degreesOf, type SparseMatrix, transpose } from './sparse-matrix.ts'
import { userTimelines } from './timelines.ts'
import { fitNeighbours, type WalkOptions } from './walk.ts'

export interface LowPassOptions {
  /** The linear part, and whose neighbours are candidates. */
  readonly walk?: WalkOptions
  /** Singular vectors whose span is kept: the frequencies that pass. */
  readonly rank?: number
  /** Weight of the low-rank part; 1 where it counts as much as the linear part does, on average, for close neighbours. */
  readonly filterWeight?: number
  /** Exponent of the item degrees around the low-rank part: 0.5 in the paper. */
  readonly filterExponent?: number
  readonly iterations?: number
  readonly seed?: number
}

export interface ShortLowPassOptions extends LowPassOptions {
  /** Best neighbours of each item that are kept, by both parts. `walk.neighbourCount` says among how many. */
  readonly rowLength: number
}

/**
 * Graph filtering with a linear and an ideal low-pass filter, GF-CF (Shen, Wu, Zhang, Shan, Zhang, Letaief, Li: "How
 * Powerful is Graph Convolution for Recommendation?", CIKM 2021, eq. 8): scores of a user with row r are
 *
 *   r (S + α D^-β V Vᵀ D^β)
 *
 * with S the walk's item–item matrix (there (D_U^-½ R D_I^-½)ᵀ(…), the walk of exponents ½, 1, ½), V the leading right singular
 * vectors of D_U^-½ R D_I^-½ and D the item degrees. Here S may have any exponents, keeps the best neighbours only, and
 * only these are ranked, so that an answer costs no look at the whole catalogue; α is relative to S (`filterWeight`).
 */
export function fitLowPass(
  interactions: Interactions,
  options: LowPassOptions = {},
  signal: FitSignal = {},
): LowPassModel {
  const half = (from: number): FitSignal => ({
    ...signal,
    onProgress: (done) => signal.onProgress?.(from + done / 2),
  })
  const byUser = withLogWeights(userTimelines(interactions))
  const neighbours = fitNeighbours(byUser, options.walk ?? {}, half(0))
  return LowPassModel.of(neighbours, fitFilter(byUser, options, half(0.5)), options.filterWeight)
}

/** `fitLowPass`, shortened: see `LowPassModel.shortened`. */
export function fitShortLowPass(
  interactions: Interactions,
  { rowLength, ...options }: ShortLowPassOptions,
  signal: FitSignal = {},
): NeighbourModel {
  assertOptions({ rowLength }, { rowLength: 'count' })
  return fitLowPass(interactions, options, signal).shortened(rowLength)
}

/** The low-rank part, of users × items. */
export function fitFilter(byUser: SparseMatrix, options: LowPassOptions, signal: FitSignal): LowPassFilter {
  const { rank = 256, filterExponent = 0.5, iterations = 3, seed = 1 } = options
  assertOptions(
    { rank, filterExponent, iterations },
    { rank: 'count', filterExponent: 'not negative', iterations: 'count' },
  )
  const found = leadingSubspace(openKernels(), normalisedRows(byUser), { rank, iterations, seed, signal })
  const { kernels, matrix: vectors } = inOwnMemory(found)
  const degrees = degreesOf(transpose(byUser))
  return {
    kernels,
    vectors,
    left: degrees.map((degree) => degree ** -filterExponent),
    right: degrees.map((degree) => degree ** filterExponent),
    params: { rank, filterExponent, iterations, seed },
  }
}

/** D_U^-½ R D_I^-½. */
function normalisedRows(byUser: SparseMatrix): SparseMatrix {
  const users = degreesOf(byUser)
  const items = degreesOf(transpose(byUser))
  const values = byUser.values.slice()
  for (let user = 0; user < byUser.rowCount; user++)
    for (let n = byUser.starts[user]!; n < byUser.starts[user + 1]!; n++)
      values[n]! /= Math.sqrt(users[user]! * items[byUser.columns[n]!]!)
  return { ...byUser, values }
}
