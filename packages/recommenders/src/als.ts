import { AlsModel, type AlsParams, type Candidates, ridgeOf } from './als-model.ts'
import { type DenseMatrix, type Kernels, widthOf } from './kernels/kernels.ts'
import { inOwnMemory, openKernels } from './kernels/open-kernels.ts'
import { confidenceOf, withLogWeights } from './log-weights.ts'
import type { FitSignal, Interactions } from './model.ts'
import { assertOptions } from './options.ts'
import { seededNormal } from './seeded-random.ts'
import { type SparseMatrix, transpose, userItemMatrix } from './sparse-matrix.ts'
import { userTimelines } from './timelines.ts'
import { fitNeighbours } from './walk.ts'

export interface AlsOptions {
  /** Numbers of a vector; rounded up to a multiple of 16. */
  readonly factorCount?: number
  /** α₀: what it weighs that an item was not interacted with, beside 1 for an interaction. */
  readonly unobservedWeight?: number
  /** λ. */
  readonly ridge?: number
  /** ν: 0 regularises all vectors alike, 1 those of frequent users and items in proportion. */
  readonly ridgeExponent?: number
  readonly iterations?: number
  /** Steps of conjugate gradients for each vector and iteration. */
  readonly steps?: number
  readonly seed?: number
  /** Numbers of all item vectors up to which a user's answer looks at every item. */
  readonly scannedFloatsMax?: number
}

const DEFAULTS = {
  factorCount: 64,
  unobservedWeight: 0.05,
  ridge: 0.001,
  ridgeExponent: 1,
  iterations: 8,
  steps: 3,
  seed: 1,
  scannedFloatsMax: 4_000_000,
} as const

const RANGES = {
  factorCount: 'count',
  unobservedWeight: 'above 0',
  ridge: 'above 0',
  ridgeExponent: 'not negative',
  iterations: 'count',
  steps: 'count',
  seed: 'not negative',
  scannedFloatsMax: 'not negative',
} as const

/** Standard deviation of first scores. */
const INITIAL_DEVIATION = 0.1
/** Of each item of a user, so many neighbours are candidates. */
const CANDIDATES_PER_ITEM = 100

/**
 * Matrix factorisation for implicit feedback by alternating least squares, iALS (Hu, Koren, Volinsky: "Collaborative
 * Filtering for Implicit Feedback Datasets", ICDM 2008, eq. 3–5), with the objective of Rendle, Krichene, Zhang, Koren:
 * "Revisiting the Performance of iALS on Item Recommendation Benchmarks", RecSys 2022, that scales regularisation by frequency:
 *
 *   Σ_(u,i) seen c_ui (1 - x_u·y_i)² + α₀ Σ_(u,i) (x_u·y_i)² + λ Σ_u (d_u + α₀ |I|)^ν |x_u|² + λ Σ_i (d_i + α₀ |U|)^ν |y_i|²
 *
 * c_ui = 1 + ln(weight). Vectors take some steps of conjugate gradients an iteration, not the exact solution (Takács, Pilászy,
 * Tikk: "Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering", RecSys 2011, §3). A
 * user's vector is solved from their items when they ask. Small catalogues are ranked as a whole; of larger ones
 * (`scannedFloatsMax`) the items that the walk finds beside the user's, so that no answer looks at the whole catalogue.
 */
export function fitAls(
  interactions: Interactions,
  options: AlsOptions = {},
  signal: FitSignal = {},
): AlsModel {
  const params = { ...DEFAULTS, ...options }
  assertOptions(params, RANGES)
  signal.signal?.throwIfAborted()
  const byUser = userTimelines(interactions)
  const { kernels, matrix: items } = inOwnMemory(factorise(openKernels(), byUser, params, signal))
  const candidates = candidatesFor(items, { byUser, ...params, ...signal })
  signal.onProgress?.(1)
  const { unobservedWeight, ridge, ridgeExponent } = params
  return new AlsModel({ kernels, items, candidates, params: { unobservedWeight, ridge, ridgeExponent } })
}

/** Vectors of items, one row an item. An item that has none, since nobody liked it, has zeros. */
export interface ItemVectors {
  readonly itemCount: number
  readonly factorCount: number
  readonly values: Float32Array
}

/**
 * The model of vectors that were fitted elsewhere, to these interactions with the confidences of `confidencesOf`. `params` are those of their
 * objective: users are folded in by it.
 */
export function alsModelOf(
  { itemCount, factorCount, values }: ItemVectors,
  params: AlsParams,
  interactions: Interactions,
  {
    scannedFloatsMax = DEFAULTS.scannedFloatsMax,
    ...signal
  }: FitSignal & Pick<AlsOptions, 'scannedFloatsMax'> = {},
): AlsModel {
  const kernels = openKernels()
  const items = kernels.dense(itemCount, widthOf(factorCount))
  for (let item = 0; item < itemCount; item++)
    items.values.set(values.subarray(item * factorCount, (item + 1) * factorCount), item * items.width)
  const byUser = userTimelines(interactions)
  return new AlsModel({
    kernels,
    items,
    candidates: candidatesFor(items, { byUser, scannedFloatsMax, ...signal }),
    params,
  })
}

/** User × item with the confidence of each pair, c_ui above: repeated pairs are one, and those that were taken back are not there. */
export function confidencesOf(interactions: Interactions): SparseMatrix {
  return withLogWeights(userItemMatrix(interactions))
}

function factorise(
  kernels: Kernels,
  byUser: SparseMatrix,
  params: Required<AlsOptions>,
  { signal, onProgress }: FitSignal,
): DenseMatrix {
  const width = widthOf(params.factorCount)
  const confidences = { ...byUser, values: byUser.values.map(confidenceOf) }
  const userRows = kernels.sparse(confidences)
  const itemRows = kernels.sparse(transpose(confidences))
  const users = kernels.dense(byUser.rowCount, width)
  const items = kernels.dense(byUser.columnCount, width)
  const shared = { kernels, params, gram: kernels.dense(width, width) }
  const userSide: Side = { ...shared, rows: userRows, ridges: ridgesOf(kernels, userRows, params) }
  const itemSide: Side = { ...shared, rows: itemRows, ridges: ridgesOf(kernels, itemRows, params) }
  const normal = seededNormal(params.seed)
  for (let n = 0; n < items.values.length; n++)
    items.values[n] = (INITIAL_DEVIATION * normal()) / Math.sqrt(width)
  for (let iteration = 0; iteration < params.iterations; iteration++) {
    signal?.throwIfAborted()
    onProgress?.(iteration / params.iterations)
    improve(userSide, items, users)
    improve(itemSide, users, items)
  }
  return items
}

/** What it takes to solve for the users, or for the items. */
interface Side {
  readonly kernels: Kernels
  readonly params: AlsParams & { readonly steps: number }
  readonly gram: DenseMatrix
  readonly rows: SparseMatrix
  readonly ridges: Float32Array
}

function improve(
  { kernels, params, gram, rows, ridges }: Side,
  factors: DenseMatrix,
  out: DenseMatrix,
): void {
  kernels.gram(factors, gram)
  for (let n = 0; n < gram.values.length; n++) gram.values[n]! *= params.unobservedWeight
  kernels.leastSquares(rows, { factors, gram, ridges, steps: params.steps }, out)
}

function ridgesOf(kernels: Kernels, { rowCount, columnCount, starts }: SparseMatrix, params: AlsParams) {
  const ridges = kernels.floats(rowCount)
  for (let row = 0; row < rowCount; row++)
    ridges[row] = ridgeOf(params, starts[row + 1]! - starts[row]!, columnCount)
  return ridges
}

function candidatesFor(
  { rowCount, width }: DenseMatrix,
  {
    byUser,
    scannedFloatsMax,
    signal,
  }: FitSignal & { readonly byUser: SparseMatrix; readonly scannedFloatsMax: number },
): Candidates | null {
  if (rowCount * width <= scannedFloatsMax) return null
  const options = { neighbourCount: CANDIDATES_PER_ITEM }
  const { starts, columns } = fitNeighbours(withLogWeights(byUser), options, signal ? { signal } : {})
  return { starts, columns }
}
