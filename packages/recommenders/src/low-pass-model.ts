import { doesCount } from './confidence.ts'
import type { DenseMatrix, Kernels } from './kernels/kernels.ts'
import { openKernels } from './kernels/open-kernels.ts'
import type { Model, RecommendOptions, ScoredItems, UserItems } from './model.ts'
import { type ModelFile, writeModelFile } from './model-file.ts'
import type { SparseMatrix } from './sparse-matrix.ts'
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

/** See `fitLowPass`: neighbours of the user's items, scored by an item–item matrix of which a part is kept in low rank. */
export class LowPassModel implements Model {
  readonly kind = 'low-pass'
  readonly #neighbours: SparseMatrix
  readonly #filter: LowPassFilter
  /** The linear part of the answer being computed, all zero between answers. */
  readonly #scores: Float32Array
  readonly #touched: Uint32Array
  /** 1 where a score was added to: one of 0 may be the sum of others. All zero between answers. */
  readonly #isTouched: Uint8Array
  readonly #dots: Float32Array
  readonly #taste: Float32Array

  private constructor(neighbours: SparseMatrix, filter: LowPassFilter) {
    this.#neighbours = neighbours
    this.#filter = filter
    const { kernels, vectors } = filter
    this.#scores = new Float32Array(neighbours.columnCount)
    this.#touched = kernels.indexes(neighbours.columnCount)
    this.#isTouched = new Uint8Array(neighbours.columnCount)
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
    const isAllowed = filterOf(user.items, filter)
    const count = this.#touch(user)
    this.#taste.fill(0)
    for (let n = 0; n < user.items.length; n++) this.#addTaste(user.items[n]!, user.weights[n]!)
    const { kernels, vectors, right } = this.#filter
    kernels.dotsOf(this.#taste, vectors, this.#touched, count, this.#dots)
    const top = new TopK(Math.min(k, count))
    for (let n = 0; n < count; n++) {
      const item = this.#touched[n]!
      const score = Math.fround(this.#scores[item]! + right[item]! * this.#dots[n]!)
      this.#scores[item] = 0
      this.#isTouched[item] = 0
      if (score > 0 && score >= top.least && isAllowed(item)) top.offer(item, score)
    }
    return top.result()
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
    const best = new Int32Array(items.length).fill(-1)
    const most = new Float32Array(items.length)
    const places = Uint32Array.from(items.keys()).filter((place) => items[place]! < this.itemCount)
    for (const [n, place] of places.entries()) this.#touched[n] = items[place]!
    for (let n = 0; n < user.items.length; n++) {
      const own = user.items[n]!
      if (own >= this.itemCount || !doesCount(user.weights[n]!)) continue
      const vector = vectors.values.subarray(own * vectors.width, (own + 1) * vectors.width)
      kernels.dotsOf(vector, vectors, this.#touched, places.length, this.#dots)
      for (let at = starts[own]!; at < starts[own + 1]!; at++) this.#scores[columns[at]!] = values[at]!
      for (let m = 0; m < places.length; m++) {
        const item = this.#touched[m]!
        const part = user.weights[n]! * (this.#scores[item]! + left[own]! * right[item]! * this.#dots[m]!)
        if (part <= most[places[m]!]!) continue
        most[places[m]!] = part
        best[places[m]!] = n
      }
      for (let at = starts[own]!; at < starts[own + 1]!; at++) this.#scores[columns[at]!] = 0
    }
    return best
  }

  save(): Uint8Array {
    const { vectors, left, right, params } = this.#filter
    const { starts, columns, values } = this.#neighbours
    return writeModelFile(this.kind, params, {
      starts,
      columns,
      values,
      left,
      right,
      vectors: vectors.values,
    })
  }

  /** Adds up the linear part; returns how many items were touched. */
  #touch(user: UserItems): number {
    const { starts, columns, values } = this.#neighbours
    let count = 0
    for (let n = 0; n < user.items.length; n++) {
      const own = user.items[n]!
      const weight = user.weights[n]!
      if (own >= this.itemCount || !doesCount(weight)) continue
      for (let at = starts[own]!; at < starts[own + 1]!; at++) {
        const other = columns[at]!
        if (this.#isTouched[other] === 0) {
          this.#isTouched[other] = 1
          this.#touched[count++] = other
        }
        this.#scores[other]! += weight * values[at]!
      }
    }
    return count
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
