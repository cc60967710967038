import { NeighbourRows } from './co-occurrence.ts'
import { gramRows, squaresOf } from './gram.ts'
import { type DenseMatrix, type Kernels, widthOf } from './kernels/kernels.ts'
import { openKernels } from './kernels/open-kernels.ts'
import { withLogWeights } from './log-weights.ts'
import type { FitSignal, Interactions } from './model.ts'
import { NeighbourModel } from './neighbour-model.ts'
import { assertOptions } from './options.ts'
import { type SparseMatrix, transpose } from './sparse-matrix.ts'
import { userTimelines } from './timelines.ts'
import { TopK } from './top-k.ts'

export interface EaseOptions {
  /** λ: the larger, the smaller the weights of items that few users share. */
  readonly ridge?: number
  /** Weights kept of each item, the largest by magnitude. */
  readonly neighbourCount?: number
  /** Catalogues up to this are solved as a whole; time grows with the cube, memory (4 bytes each) with the square. */
  readonly denseItemsMax?: number
  /** Items among which a larger catalogue's item is predicted: those most often seen with it. */
  readonly localItemCount?: number
}

const DEFAULTS = { ridge: 100, neighbourCount: 200, denseItemsMax: 6_000, localItemCount: 150 } as const

/**
 * An item–item matrix B that predicts each item from the others by ridge regression, EASE (Steck: "Embarrassingly Shallow
 * Autoencoders for Sparse Data", WWW 2019, eq. 8): with P = (XᵀX + λI)^-1, B_ij = -P_ij / P_jj off the diagonal, 0 on it.
 * Above `denseItemsMax` items each column of B is solved by itself (eq. 4) over the items most often seen with its item,
 * which leaves out weights that would be small. Weights may be negative: an item can speak against another.
 */
export function fitEase(
  interactions: Interactions,
  options: EaseOptions = {},
  signal: FitSignal = {},
): NeighbourModel {
  const params = { ...DEFAULTS, ...options }
  assertOptions(params, {
    ridge: 'above 0',
    neighbourCount: 'count',
    denseItemsMax: 'not negative',
    localItemCount: 'count',
  })
  signal.signal?.throwIfAborted()
  const byUser = withLogWeights(userTimelines(interactions))
  const matrix =
    interactions.itemCount <= params.denseItemsMax
      ? denseWeights(byUser, params, signal)
      : localWeights(byUser, params, signal)
  signal.onProgress?.(1)
  return new NeighbourModel('ease', matrix, params)
}

type Params = Required<EaseOptions>

function denseWeights(
  byUser: SparseMatrix,
  { ridge, neighbourCount }: Params,
  signal: FitSignal,
): SparseMatrix {
  const itemCount = byUser.columnCount
  const inverse = denseGram(openKernels(), byUser, ridge)
  const { width, values, kernels } = inverse
  signal.onProgress?.(0.1)
  kernels.inverse(inverse)
  signal.signal?.throwIfAborted()
  const rows = new NeighbourRows(itemCount)
  for (let item = 0; item < itemCount; item++) {
    const row = values.subarray(item * width, item * width + itemCount)
    rows.add(
      largest(neighbourCount, itemCount, (other) =>
        other === item ? 0 : -row[other]! / values[other * width + other]!,
      ),
    )
  }
  return rows.matrix()
}

/** XᵀX + λI. */
function denseGram(
  kernels: Kernels,
  byUser: SparseMatrix,
  ridge: number,
): DenseMatrix & { kernels: Kernels } {
  const { rowCount, columnCount, starts, columns, values } = byUser
  const gram = kernels.dense(columnCount, widthOf(columnCount))
  for (let user = 0; user < rowCount; user++)
    for (let n = starts[user]!; n < starts[user + 1]!; n++) {
      const from = columns[n]! * gram.width
      for (let m = starts[user]!; m < starts[user + 1]!; m++)
        gram.values[from + columns[m]!]! += values[n]! * values[m]!
    }
  for (let item = 0; item < columnCount; item++) gram.values[item * (gram.width + 1)]! += ridge
  return { ...gram, kernels }
}

/** The `count` largest by magnitude, none of them 0, in falling order of their values. */
function largest(count: number, size: number, weightOf: (place: number) => number) {
  const top = new TopK(Math.min(count, size))
  for (let place = 0; place < size; place++) {
    const magnitude = Math.abs(weightOf(place))
    if (magnitude > 0) top.offer(place, magnitude)
  }
  const places = [...top.result().items].sort((a, b) => weightOf(b) - weightOf(a))
  return { items: Uint32Array.from(places), scores: Float32Array.from(places, weightOf) }
}

function localWeights(byUser: SparseMatrix, params: Params, signal: FitSignal): SparseMatrix {
  const { ridge, neighbourCount, localItemCount } = params
  const itemCount = byUser.columnCount
  const gram = gramRows(byUser, { ...signal, onProgress: (done) => signal.onProgress?.(done / 2) })
  const squares = squaresOf(byUser)
  const kernels = openKernels()
  const system = kernels.dense(localItemCount, widthOf(localItemCount))
  const weights = kernels.floats(system.width)
  const placeOf = new Int32Array(itemCount).fill(-1)
  const columns = new NeighbourRows(itemCount)
  for (let item = 0; item < itemCount; item++) {
    if (item % 256 === 0) {
      signal.signal?.throwIfAborted()
      signal.onProgress?.(0.5 + item / itemCount / 2)
    }
    const from = gram.starts[item]!
    const size = Math.min(localItemCount, gram.starts[item + 1]! - from)
    const items = gram.columns.subarray(from, from + size)
    const local = { ...system, rowCount: size }
    fillSystem(local, { gram, items, placeOf })
    for (let n = 0; n < size; n++) local.values[n * (local.width + 1)] = squares[items[n]!]! + ridge
    weights.set(gram.values.subarray(from, from + size))
    const isSolved = kernels.cholesky(local) === size
    if (isSolved) kernels.solve(local, weights)
    const row = largest(neighbourCount, isSolved ? size : 0, (n) => weights[n]!)
    columns.add({ items: row.items.map((n) => items[n]!), scores: row.scores })
  }
  return transpose(columns.matrix())
}

/** XᵀX of the items chosen, without the diagonal. `placeOf` is -1 everywhere between calls. */
function fillSystem(
  { width, values }: DenseMatrix,
  {
    gram,
    items,
    placeOf,
  }: { readonly gram: SparseMatrix; readonly items: Uint32Array; readonly placeOf: Int32Array },
): void {
  for (let n = 0; n < items.length; n++) placeOf[items[n]!] = n
  for (let n = 0; n < items.length; n++) {
    values.fill(0, n * width, (n + 1) * width)
    for (let at = gram.starts[items[n]!]!; at < gram.starts[items[n]! + 1]!; at++) {
      const place = placeOf[gram.columns[at]!]!
      if (place >= 0) values[n * width + place] = gram.values[at]!
    }
  }
  for (let n = 0; n < items.length; n++) placeOf[items[n]!] = -1
}
