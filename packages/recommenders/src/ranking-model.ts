import type { FitSignal, Interactions, Model, RecommendOptions, ScoredItems, UserItems } from './model.ts'
import { type FileParts, type ModelFile, modelFile } from './model-file.ts'
import { userItemMatrix } from './sparse-matrix.ts'
import { withTimeDecay } from './time-decay.ts'
import { filterOf, TopK } from './top-k.ts'

/** One ranking for everybody: popular, trending. */
export class RankingModel implements Model {
  readonly kind: string
  readonly itemCount: number
  readonly #scores: Float32Array
  readonly #order: Uint32Array

  constructor(kind: string, scores: Float32Array) {
    this.kind = kind
    this.itemCount = scores.length
    this.#scores = scores
    const top = new TopK(scores.length)
    for (let item = 0; item < scores.length; item++) if (scores[item]! > 0) top.offer(item, scores[item]!)
    this.#order = top.result().items
  }

  static load(file: ModelFile): RankingModel {
    return new RankingModel(file.kind, file.f32('scores'))
  }

  recommend(user: UserItems, { k, filter }: RecommendOptions): ScoredItems {
    return this.#best(k, filterOf(user.items, filter))
  }

  similar(item: number, { k, filter = () => true }: RecommendOptions): ScoredItems {
    return this.#best(k, (other) => other !== item && filter(other))
  }

  explain(user: UserItems): Float32Array {
    return new Float32Array(user.items.length)
  }

  reasons(_: UserItems, items: Uint32Array): Int32Array {
    return new Int32Array(items.length).fill(-1)
  }

  file(): FileParts {
    return modelFile(this.kind, {}, { scores: this.#scores })
  }

  #best(k: number, isAllowed: (item: number) => boolean): ScoredItems {
    const items = new Uint32Array(Math.max(0, Math.min(Math.floor(k), this.#order.length)))
    const scores = new Float32Array(items.length)
    let count = 0
    for (let n = 0; n < this.#order.length && count < items.length; n++) {
      const item = this.#order[n]!
      if (!isAllowed(item)) continue
      items[count] = item
      scores[count++] = this.#scores[item]!
    }
    return { items: items.subarray(0, count), scores: scores.subarray(0, count) }
  }
}

/** Items by how many users touched them: the baseline every model must beat. */
export function fitPopular(interactions: Interactions): RankingModel {
  const matrix = userItemMatrix(interactions)
  const scores = new Float32Array(interactions.itemCount)
  for (let n = 0; n < matrix.columns.length; n++) scores[matrix.columns[n]!]! += 1
  return new RankingModel('popular', scores)
}

export interface TrendingOptions {
  /** Weight of an interaction halves with this age. Default 3 days. */
  readonly halfLifeMs?: number
}

/** Items by interactions that decay exponentially with their age before the newest one. */
export function fitTrending(
  interactions: Interactions,
  options: TrendingOptions = {},
  signal: FitSignal = {},
): RankingModel {
  signal.signal?.throwIfAborted()
  userItemMatrix(interactions)
  const { halfLifeMs = 3 * 86_400_000 } = options
  const { items } = interactions
  const { weights } = withTimeDecay(interactions, { halfLifeMs })
  const scores = new Float64Array(interactions.itemCount)
  for (let n = 0; n < items.length; n++) scores[items[n]!]! += weights[n]!
  return new RankingModel('trending', Float32Array.from(scores))
}
