import { NeighbourRows } from './co-occurrence.ts'
import { doesCount } from './confidence.ts'
import type { DenseMatrix, Kernels } from './kernels/kernels.ts'
import { openKernels } from './kernels/open-kernels.ts'
import type { ItemFilter, Model, RecommendOptions, ScoredItems, UserItems } from './model.ts'
import { type FileParts, type ModelFile, modelFile } from './model-file.ts'
import { NeighbourModel } from './neighbour-model.ts'
import { NeighbourScores } from './neighbour-scores.ts'
import { isSameMatrix, type SparseMatrix } from './sparse-matrix.ts'
import { filterOf, TopK } from './top-k.ts'

/** The low-rank part: left ∘ V Vᵀ ∘ right. */
export interface LowPassFilter {
  readonly kernels: Kernels
  /** V, one row an item, in the memory of the kernels. */
  readonly vectors: DenseMatrix
  /** Factor of an item that the user has. */
  readonly left: Float32Array
  /** Factor of an item that is scored. */
  readonly right: Float32Array
  readonly params: Readonly<Record<string, number>>
}

/** Neighbours of an item by which the two parts are compared. */
const COMPARED_NEIGHBOURS = 10

/**
 * The low-rank part is computed of so many neighbours at least, and of so many for each item asked for: those with the best linear
 * parts; of the rest only where the filter leaves too few of them. To read the vectors of all takes most of the time of an answer and
 * changes little (docs/MODELS.md).
 */
const CANDIDATES_MIN = 1_000
const CANDIDATES_PER_RESULT = 3

/** What a `LowPassModel` is called that was shortened. */
export const SHORT_LOW_PASS = 'short-low-pass'

/** See `fitLowPass`: neighbours of the user's items, scored by an item–item matrix of which a part is kept in low rank. */
export class LowPassModel implements Model {
  readonly kind = 'low-pass'
  readonly #neighbours: SparseMatrix
  readonly #filter: LowPassFilter
  /** The linear part. */
  readonly #sums: NeighbourScores
  readonly #dots: Float32Array
  readonly #taste: Float32Array

  private constructor(neighbours: SparseMatrix, filter: LowPassFilter) {
    this.#neighbours = neighbours
    this.#filter = filter
    const { kernels, vectors } = filter
    this.#sums = new NeighbourScores(neighbours, (length) => kernels.indexes(length))
    this.#dots = kernels.floats(neighbours.columnCount)
    this.#taste = kernels.floats(vectors.width)
  }

  /** Joins the two parts: `filterWeight` 1 lets both count the same for close neighbours, on average. */
  static of(neighbours: SparseMatrix, filter: LowPassFilter, filterWeight = 0.35): LowPassModel {
    const scale = filterWeight * new LowPassModel(neighbours, filter).#scale()
    const right = filter.right.map((factor) => factor * scale)
    return new LowPassModel(neighbours, { ...filter, right, params: { ...filter.params, filterWeight } })
  }

  static load(file: ModelFile): LowPassModel {
    const starts = file.u32('starts')
    const itemCount = starts.length - 1
    const kernels = openKernels()
    const saved = file.f32('vectors')
    const vectors = kernels.dense(itemCount, itemCount === 0 ? 0 : saved.length / itemCount)
    vectors.values.set(saved)
    const neighbours = {
      rowCount: itemCount,
      columnCount: itemCount,
      starts,
      columns: file.u32('columns'),
      values: file.f32('values'),
    }
    return new LowPassModel(neighbours, {
      kernels,
      vectors,
      left: file.f32('left'),
      right: file.f32('right'),
      params: file.meta as Record<string, number>,
    })
  }

  get itemCount(): number {
    return this.#neighbours.rowCount
  }

  recommend(user: UserItems, { k, filter }: RecommendOptions): ScoredItems {
    const count = this.#sums.add(user)
    const best = this.#best(user, count, { k, isAllowed: filterOf(user.items, filter) })
    this.#sums.clear(count)
    return best
  }

  /** True for a model of the same neighbours, whose answer is half of the work of this one's. */
  hasNeighboursOf(model: NeighbourModel): boolean {
    return isSameMatrix(this.#neighbours, model.neighbours)
  }

  /** What a `NeighbourModel` of the same neighbours recommends, and what this one does, with one pass over them. */
  recommendBoth(
    user: UserItems,
    { k, filter }: RecommendOptions,
  ): { readonly byNeighbours: ScoredItems; readonly own: ScoredItems } {
    const isAllowed = filterOf(user.items, filter)
    const count = this.#sums.add(user)
    const byNeighbours = this.#sums.best(count, k, isAllowed)
    const own = this.#best(user, count, { k, isAllowed })
    this.#sums.clear(count)
    return { byNeighbours, own }
  }

  #best(
    user: UserItems,
    count: number,
    { k, isAllowed }: { readonly k: number; readonly isAllowed: ItemFilter },
  ): ScoredItems {
    const { touched } = this.#sums
    this.#taste.fill(0)
    for (let n = 0; n < user.items.length; n++) this.#addTaste(user.items[n]!, user.weights[n]!)
    const top = new TopK(Math.min(k, count))
    const candidateCount = Math.max(CANDIDATES_MIN, k * CANDIDATES_PER_RESULT)
    const leading = this.#sums.moveToFront(count, candidateCount)
    this.#offer(touched.subarray(0, leading), top, isAllowed)
    if (!top.isFull) this.#offer(touched.subarray(leading, count), top, isAllowed)
    return top.result()
  }

  #offer(items: Uint32Array, top: TopK, isAllowed: ItemFilter): void {
    const { kernels, vectors, right } = this.#filter
    const { scores } = this.#sums
    const dots = this.#dots
    kernels.dotsOf(this.#taste, vectors, items, items.length, dots)
    for (let n = 0; n < items.length; n++) {
      const item = items[n]!
      const score = Math.fround(scores[item]! + right[item]! * dots[n]!)
      if (score > 0 && score >= top.least && isAllowed(item)) top.offer(item, score)
    }
  }

  similar(item: number, options: RecommendOptions): ScoredItems {
    const { k, filter = () => true } = options
    const own = { items: Uint32Array.of(item), weights: Float32Array.of(1) }
    return this.recommend(own, { k, filter: (other) => other !== item && filter(other) })
  }

  explain(user: UserItems, item: number): Float32Array {
    const { starts, columns, values } = this.#neighbours
    return Float32Array.from(user.items, (own, n) => {
      if (own >= this.itemCount || item >= this.itemCount || !doesCount(user.weights[n]!)) return 0
      let linear = 0
      for (let at = starts[own]!; at < starts[own + 1]!; at++) if (columns[at] === item) linear = values[at]!
      return user.weights[n]! * (linear + this.#filtered(own, item))
    })
  }

  /** One pass over the neighbours of the user's items, and one scan of the answers' vectors for each of these. */
  reasons(user: UserItems, items: Uint32Array): Int32Array {
    const { starts, columns, values } = this.#neighbours
    const { kernels, vectors, left, right } = this.#filter
    const { scores, touched } = this.#sums
    const best = new Int32Array(items.length).fill(-1)
    const most = new Float32Array(items.length)
    const places = Uint32Array.from(items.keys()).filter((place) => items[place]! < this.itemCount)
    for (const [n, place] of places.entries()) touched[n] = items[place]!
    for (let n = 0; n < user.items.length; n++) {
      const own = user.items[n]!
      if (own >= this.itemCount || !doesCount(user.weights[n]!)) continue
      const vector = vectors.values.subarray(own * vectors.width, (own + 1) * vectors.width)
      kernels.dotsOf(vector, vectors, touched, places.length, this.#dots)
      for (let at = starts[own]!; at < starts[own + 1]!; at++) scores[columns[at]!] = values[at]!
      for (let m = 0; m < places.length; m++) {
        const item = touched[m]!
        const part = user.weights[n]! * (scores[item]! + left[own]! * right[item]! * this.#dots[m]!)
        if (part <= most[places[m]!]!) continue
        most[places[m]!] = part
        best[places[m]!] = n
      }
      for (let at = starts[own]!; at < starts[own + 1]!; at++) scores[columns[at]!] = 0
    }
    return best
  }

  /**
   * Both parts as one item–item matrix, of each item the `rowLength` best of its neighbours: an answer is one pass over short rows, without
   * vectors. It leaves out what the low-rank part says between items that are no neighbours, so let many be neighbours
   * (docs/MODELS.md) and judge it as a model of its own. Cost: one dot product a neighbour.
   */
  shortened(rowLength: number): NeighbourModel {
    const { kernels, vectors, left, right, params } = this.#filter
    const { starts, columns, values } = this.#neighbours
    const rows = new NeighbourRows(this.itemCount)
    for (let item = 0; item < this.itemCount; item++) {
      const from = starts[item]!
      const neighbours = this.#sums.touched.subarray(0, starts[item + 1]! - from)
      neighbours.set(columns.subarray(from, from + neighbours.length))
      this.#taste.set(vectors.values.subarray(item * vectors.width, (item + 1) * vectors.width))
      kernels.dotsOf(this.#taste, vectors, neighbours, neighbours.length, this.#dots)
      const top = new TopK(Math.min(rowLength, neighbours.length))
      for (const [n, other] of neighbours.entries()) {
        const score = values[from + n]! + left[item]! * right[other]! * this.#dots[n]!
        if (score > 0) top.offer(other, score)
      }
      rows.add(top.result())
    }
    return new NeighbourModel(SHORT_LOW_PASS, rows.matrix(), { ...params, rowLength })
  }

  file(): FileParts {
    const { vectors, left, right, params } = this.#filter
    const { starts, columns, values } = this.#neighbours
    return modelFile(this.kind, params, {
      starts,
      columns,
      values,
      left,
      right,
      vectors: vectors.values,
    })
  }

  #addTaste(item: number, weight: number): void {
    if (item >= this.itemCount || !doesCount(weight)) return
    const { vectors, left } = this.#filter
    const factor = weight * left[item]!
    const from = item * vectors.width
    for (let i = 0; i < vectors.width; i++) this.#taste[i]! += factor * vectors.values[from + i]!
  }

  /** The low-rank part of an entry of the matrix. */
  #filtered(own: number, item: number): number {
    const { vectors, left, right } = this.#filter
    const { width, values } = vectors
    let sum = 0
    for (let i = 0; i < width; i++) sum += values[own * width + i]! * values[item * width + i]!
    return left[own]! * sum * right[item]!
  }

  /** How large the linear part is beside the low-rank one, over the closest neighbours of all items. */
  #scale(): number {
    const { starts, columns, values } = this.#neighbours
    let linear = 0
    let filtered = 0
    for (let item = 0; item < this.itemCount; item++) {
      const end = Math.min(starts[item]! + COMPARED_NEIGHBOURS, starts[item + 1]!)
      for (let at = starts[item]!; at < end; at++) {
        linear += values[at]!
        filtered += Math.abs(this.#filtered(item, columns[at]!))
      }
    }
    return filtered === 0 ? 0 : linear / filtered
  }
}
