import { RecommenderError } from './errors.ts'
import { LowPassModel } from './low-pass-model.ts'
import type { Model, RecommendOptions, ScoredItems, UserItems } from './model.ts'
import { type FileParts, type ModelFile, modelFile } from './model-file.ts'
import { NeighbourModel } from './neighbour-model.ts'
import { TopK } from './top-k.ts'

/** A model of a blend and what its best item adds to a score. */
export interface BlendPart {
  readonly model: Model
  readonly weight: number
}

export interface BlendOptions {
  /** The n-th newest of a user's items weighs n^-this beside what it weighs by itself; 0 leaves weights as they are. */
  readonly recencyExponent?: number
  /** Items each part is asked for at least, so that an answer does not change with `k`. Default 200. */
  readonly depth?: number
}

/** Depth of a blend where none is told. */
export const BLEND_DEPTH = 200

/**
 * Several models as one: each part's scores are divided by its best one, multiplied by its weight and added up by item
 * (CombSUM: Fox and Shaw, "Combination of Multiple Searches", TREC-2 1994; divided by the maximum: Lee, "Analyses of
 * Multiple Evidence Combination", SIGIR 1997). The newest of a user's items count most, by a power of their place. A blend
 * of one part is that model with this recency.
 */
export class BlendModel implements Model {
  readonly kind = 'blend'
  readonly itemCount: number
  readonly #parts: readonly BlendPart[]
  readonly #recencyExponent: number
  readonly #depth: number
  /** Of the answer being computed, all zero between answers. */
  readonly #sums: Float64Array
  /** Two parts that go by the same neighbours, which are looked at once for both. */
  readonly #twins: Twins | null

  /** Throws `MODEL_INPUT_INVALID` where there is no part, a weight is not above 0, or parts differ in their items. */
  constructor(parts: readonly BlendPart[], { recencyExponent = 0, depth = BLEND_DEPTH }: BlendOptions = {}) {
    if (parts.length === 0 || parts.some(({ weight }) => !(weight > 0 && Number.isFinite(weight))))
      throw invalid('needs parts, each with a weight above 0')
    if (!(recencyExponent >= 0 && depth > 0))
      throw invalid(
        `takes a recencyExponent from 0 and a depth above 0, found ${recencyExponent} and ${depth}`,
      )
    const counts = new Set(parts.map(({ model }) => model.itemCount))
    if (counts.size > 1) throw invalid(`has parts of ${[...counts].join(' and of ')} items`)
    this.itemCount = parts[0]!.model.itemCount
    this.#parts = [...parts].sort((a, b) => b.weight - a.weight)
    this.#recencyExponent = recencyExponent
    this.#depth = depth
    this.#sums = new Float64Array(this.itemCount)
    this.#twins = twinsAmong(this.#parts)
  }

  /** `loadPart` opens the file of a part. */
  static load(file: ModelFile, loadPart: (bytes: Uint8Array) => Model): BlendModel {
    const { weights, ...options } = file.meta as unknown as BlendOptions & {
      readonly weights: readonly number[]
    }
    const parts = weights.map((weight, n) => ({ weight, model: loadPart(file.u8(`part/${n}`)) }))
    return new BlendModel(parts, options)
  }

  recommend(user: UserItems, { k, filter }: RecommendOptions): ScoredItems {
    const own = this.#aged(user)
    const options = { k: Math.max(k, this.#depth), ...(filter === undefined ? {} : { filter }) }
    const twins = this.#twins
    const both = twins?.filtered.recommendBoth(own, options)
    return this.#joined(k, (model) => {
      if (both !== undefined && model === twins?.plain) return both.byNeighbours
      if (both !== undefined && model === twins?.filtered) return both.own
      return model.recommend(own, options)
    })
  }

  similar(item: number, { k, filter }: RecommendOptions): ScoredItems {
    return this.#joined(k, (model, depth) =>
      model.similar(item, { k: depth, ...(filter === undefined ? {} : { filter }) }),
    )
  }

  /** The sum of what the parts explain, where nothing but the user's own items is filtered out. */
  explain(user: UserItems, item: number): Float32Array {
    const own = this.#aged(user)
    const sums = new Float32Array(user.items.length)
    for (const { model, weight } of this.#parts) {
      const { items, scores } = model.recommend(own, { k: this.#depth })
      if (!items.includes(item)) continue
      const parts = model.explain(own, item)
      for (let n = 0; n < sums.length; n++) sums[n]! += (weight / scores[0]!) * parts[n]!
    }
    return sums
  }

  /** By the part of the largest weight that knows one. */
  reasons(user: UserItems, items: Uint32Array): Int32Array {
    const own = this.#aged(user)
    const found = new Int32Array(items.length).fill(-1)
    for (const { model } of this.#parts) {
      const missing = Uint32Array.from(items.filter((_, n) => found[n] === -1))
      if (missing.length === 0) break
      const reasons = model.reasons(own, missing)
      let next = 0
      for (let n = 0; n < found.length; n++) if (found[n] === -1) found[n] = reasons[next++]!
    }
    return found
  }

  file(): FileParts {
    const weights = this.#parts.map(({ weight }) => weight)
    const files = this.#parts.map(({ model }, n) => [`part/${n}`, model.file()])
    return modelFile(
      this.kind,
      { weights, recencyExponent: this.#recencyExponent, depth: this.#depth },
      Object.fromEntries(files),
    )
  }

  #aged({ items, weights }: UserItems): UserItems {
    return { items, weights: agedWeights(weights, this.#recencyExponent) }
  }

  #joined(k: number, ask: (model: Model, depth: number) => ScoredItems): ScoredItems {
    const depth = Math.max(k, this.#depth)
    const lists = this.#parts.map(({ model, weight }) => partOf(ask(model, depth), weight))
    return joinLists(lists, k, this.#sums)
  }
}

interface Twins {
  readonly plain: NeighbourModel
  readonly filtered: LowPassModel
}

function twinsAmong(parts: readonly BlendPart[]): Twins | null {
  const models = parts.map(({ model }) => model)
  for (const filtered of models.filter((model) => model instanceof LowPassModel))
    for (const plain of models.filter((model) => model instanceof NeighbourModel))
      if (filtered.hasNeighboursOf(plain)) return { plain, filtered }
  return null
}

/** A list that counts by this weight, beside its best score. */
export function partOf(
  list: ScoredItems,
  weight: number,
): { readonly list: ScoredItems; readonly factor: number } {
  return { list, factor: weight / (list.scores[0] ?? 1) }
}

/** The `k` best by the sum over lists of factor × score. `sums` is scratch for it: one zero an item, and zeros again afterwards. */
export function joinLists(
  lists: readonly { readonly list: ScoredItems; readonly factor: number }[],
  k: number,
  sums: Float64Array,
): ScoredItems {
  let count = 0
  for (const { list, factor } of lists) {
    const { items, scores } = list
    for (let n = 0; n < items.length; n++) sums[items[n]!]! += factor * scores[n]!
    count += items.length
  }
  const top = new TopK(Math.min(k, count))
  for (const { list } of lists) {
    for (const item of list.items) {
      const sum = sums[item]!
      // Zero: offered by a list before, since every score and factor is above it.
      if (sum !== 0) top.offer(item, sum)
      sums[item] = 0
    }
  }
  return top.result()
}

/** Weights of a user's items, newest first, with the n-th times n^-exponent. */
export function agedWeights(weights: Float32Array, exponent: number): Float32Array {
  return exponent === 0 ? weights : weights.map((weight, n) => weight * (n + 1) ** -exponent)
}

function invalid(what: string): RecommenderError {
  return new RecommenderError('MODEL_INPUT_INVALID', `A blend ${what}`)
}
