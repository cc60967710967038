import { doesCount } from '../confidence.ts'
import type { Model, RecommendOptions, ScoredItems, UserItems } from '../model.ts'
import { type FileParts, type ModelFile, modelFile } from '../model-file.ts'
import { type SparseMatrix, transpose } from '../sparse-matrix.ts'
import { filterOf, TopK } from '../top-k.ts'
import type { BasketHistory } from './baskets.ts'

/** How much less older baskets weigh, r of the paper: 1 not at all. */
export interface BasketDecay {
  /** Baskets of a group. */
  readonly groupSize: number
  /** r_b: factor from a basket of a group to the one before it. */
  readonly withinDecay: number
  /** r_g: factor from a group to the one before it. */
  readonly groupDecay: number
}

/** See `NextBasketOptions`. */
export interface NextBasketParams extends BasketDecay {
  readonly neighbourCount: number
  readonly personalShare: number
  readonly sampleSize: number
}

/**
 * How often and how lately a user bought each product (Hu et al. 2020, §4.1): the mean over groups of baskets, the newest full, of
 * r_g^(groups since) × the mean over its baskets of r_b^(baskets since, in the group). Products newest first, as `UserItems` are.
 */
export function basketVector(history: BasketHistory, decay: BasketDecay): UserItems {
  const { groupSize, withinDecay, groupDecay } = decay
  const groupCount = Math.ceil(history.length / groupSize)
  const sums = new Map<number, number>()
  for (const [age, basket] of history.entries()) {
    const group = Math.floor(age / groupSize)
    const ofGroup = Math.min(groupSize, history.length - group * groupSize)
    const weight = (groupDecay ** group / groupCount) * (withinDecay ** (age % groupSize) / ofGroup)
    for (const item of basket) sums.set(item, (sums.get(item) ?? 0) + weight)
  }
  return { items: Uint32Array.from(sums.keys()), weights: Float32Array.from(sums.values()) }
}

/** Fitted by `fitNextBasket`. Asked with what `vectorOf` makes of a user's baskets; by default own products are left out as in any model. */
export class NextBasketModel implements Model {
  readonly kind = 'next-basket'
  /** Users × items, who bought last first. */
  readonly #vectors: SparseMatrix
  readonly #byItem: SparseMatrix
  /** Length of each user's vector. */
  readonly #lengths: Float64Array
  readonly #params: NextBasketParams
  /** Products of vectors with the one at hand, and scores; all zero between answers. */
  readonly #dots: Float64Array
  readonly #scores: Float64Array

  private constructor(vectors: SparseMatrix, params: NextBasketParams) {
    this.#vectors = vectors
    this.#byItem = transpose(vectors)
    this.#params = params
    this.#dots = new Float64Array(vectors.rowCount)
    this.#scores = new Float64Array(vectors.columnCount)
    this.#lengths = Float64Array.from({ length: vectors.rowCount }, (_, user) =>
      lengthOf(vectors.values.subarray(vectors.starts[user], vectors.starts[user + 1])),
    )
  }

  /** `vectors` of users, who bought last first. */
  static of(vectors: readonly UserItems[], itemCount: number, params: NextBasketParams): NextBasketModel {
    const starts = new Uint32Array(vectors.length + 1)
    for (const [user, { items }] of vectors.entries()) starts[user + 1] = starts[user]! + items.length
    const columns = new Uint32Array(starts[vectors.length]!)
    const values = new Float32Array(columns.length)
    for (const [user, { items, weights }] of vectors.entries()) {
      columns.set(items, starts[user])
      values.set(weights, starts[user])
    }
    return new NextBasketModel(
      { rowCount: vectors.length, columnCount: itemCount, starts, columns, values },
      params,
    )
  }

  static load(file: ModelFile): NextBasketModel {
    const { itemCount, ...params } = file.meta as unknown as NextBasketParams & { readonly itemCount: number }
    const starts = file.u32('starts')
    const matrix = { rowCount: starts.length - 1, columnCount: itemCount, starts }
    return new NextBasketModel(
      { ...matrix, columns: file.u32('columns'), values: file.f32('values') },
      params,
    )
  }

  get itemCount(): number {
    return this.#vectors.columnCount
  }

  /** What to ask with for a user of these baskets, whether they were trained on or not. */
  vectorOf(history: BasketHistory): UserItems {
    return basketVector(history, this.#params)
  }

  /** The products of the next basket, those bought before included. */
  nextBasket(history: BasketHistory, { k, filter = () => true }: RecommendOptions): ScoredItems {
    return this.recommend(this.vectorOf(history), { k, filter })
  }

  recommend(user: UserItems, { k, filter }: RecommendOptions): ScoredItems {
    const isAllowed = filterOf(user.items, filter)
    const { personalShare } = this.#params
    const scores = this.#scores
    const touched: number[] = []
    const add = (item: number, score: number): void => {
      if (scores[item] === 0) touched.push(item)
      scores[item]! += score
    }
    const own = this.#known(user)
    for (const n of own) add(user.items[n]!, personalShare * user.weights[n]!)
    const { starts, columns, values } = this.#vectors
    for (const { neighbour, share } of this.#neighbours(user, own))
      for (let at = starts[neighbour]!; at < starts[neighbour + 1]!; at++)
        add(columns[at]!, (1 - personalShare) * share * values[at]!)
    const top = new TopK(Math.min(k, touched.length))
    for (const item of touched) {
      if (scores[item]! > 0 && isAllowed(item)) top.offer(item, scores[item]!)
      scores[item] = 0
    }
    return top.result()
  }

  similar(item: number, { k, filter = () => true }: RecommendOptions): ScoredItems {
    const alone = { items: Uint32Array.of(item), weights: Float32Array.of(1) }
    return this.recommend(alone, { k, filter: (other) => other !== item && filter(other) })
  }

  /** A neighbour's part is divided among the products that make them alike. */
  explain(user: UserItems, item: number): Float32Array {
    const parts = new Float32Array(user.items.length)
    const { personalShare } = this.#params
    const own = this.#known(user)
    for (const n of own) if (user.items[n] === item) parts[n]! += personalShare * user.weights[n]!
    for (const { neighbour, share } of this.#neighbours(user, own)) {
      const theirs = this.#frequenciesOf(neighbour)
      const given = (1 - personalShare) * share * (theirs.get(item) ?? 0)
      if (given === 0) continue
      const products = own.map((n) => user.weights[n]! * (theirs.get(user.items[n]!) ?? 0))
      const dot = products.reduce((sum, product) => sum + product, 0)
      for (const [place, n] of own.entries()) parts[n]! += (given * products[place]!) / dot
    }
    return parts
  }

  reasons(user: UserItems, items: Uint32Array): Int32Array {
    return Int32Array.from(items, (item) => {
      const parts = this.explain(user, item)
      const most = parts.reduce((best, part, n) => (part > (parts[best] ?? 0) ? n : best), -1)
      return most
    })
  }

  file(): FileParts {
    const { starts, columns, values } = this.#vectors
    return modelFile(this.kind, { ...this.#params, itemCount: this.itemCount }, { starts, columns, values })
  }

  /** Places of the user's products that count. A frequency is above 0; what is disliked is not bought again. */
  #known(user: UserItems): number[] {
    return [...user.items.keys()].filter(
      (n) => user.items[n]! < this.itemCount && user.weights[n]! > 0 && doesCount(user.weights[n]!),
    )
  }

  /** The users most alike by cosine, and the share of each in their weighted mean. */
  #neighbours(user: UserItems, own: readonly number[]): Neighbour[] {
    const { neighbourCount, personalShare, sampleSize } = this.#params
    if (personalShare === 1) return []
    const { starts, columns, values } = this.#byItem
    const touched: number[] = []
    for (const n of own) {
      const from = starts[user.items[n]!]!
      const end = Math.min(starts[user.items[n]! + 1]!, from + sampleSize)
      for (let at = from; at < end; at++) {
        const other = columns[at]!
        if (this.#dots[other] === 0) touched.push(other)
        this.#dots[other]! += user.weights[n]! * values[at]!
      }
    }
    const top = new TopK(Math.min(neighbourCount, touched.length))
    for (const other of touched) {
      top.offer(other, this.#dots[other]! / this.#lengths[other]!)
      this.#dots[other] = 0
    }
    const { items, scores } = top.result()
    const sum = scores.reduce((all, score) => all + score, 0)
    return Array.from(items, (neighbour, n) => ({ neighbour, share: scores[n]! / sum }))
  }

  #frequenciesOf(neighbour: number): Map<number, number> {
    const { starts, columns, values } = this.#vectors
    const own = new Map<number, number>()
    for (let at = starts[neighbour]!; at < starts[neighbour + 1]!; at++) own.set(columns[at]!, values[at]!)
    return own
  }
}

interface Neighbour {
  /** Row of the matrix of vectors. */
  readonly neighbour: number
  /** Of the weighted mean; all sum to 1. */
  readonly share: number
}

function lengthOf(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
}
