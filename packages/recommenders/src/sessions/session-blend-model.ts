import { RecommenderError } from '../errors.ts'
import type { ItemFilter, Model, RecommendOptions, ScoredItems, UserItems } from '../model.ts'
import { type ModelFile, type Section, writeModelFile } from '../model-file.ts'
import { filterOf, TopK } from '../top-k.ts'

/** A model's share in a blend. */
export interface SessionBlendPart {
  readonly model: Model
  /** Above 0; only ratios matter. */
  readonly weight: number
}

/** Items that each part puts forward at least. */
export const BLEND_DEPTH = 50

/**
 * A weighted sum of models: each puts forward its best 50 (or `k`) items of those allowed, whose scores are divided by the best
 * one's, so that models of any scale go together. (Normalisation by the maximum: Lee, "Analyses of Multiple Evidence Combination", SIGIR
 * 1997.) It costs what its parts cost together.
 */
export class SessionBlendModel implements Model {
  readonly kind = 'session-blend'
  readonly itemCount: number
  readonly #parts: readonly SessionBlendPart[]
  /** Scores of the answer being computed, all zero between answers. */
  readonly #scores: Float64Array
  readonly #touched: Uint32Array

  /** Throws `MODEL_INPUT_INVALID` where there is no part, a weight is not above 0, or parts differ in their items. */
  constructor(parts: readonly SessionBlendPart[]) {
    this.itemCount = parts[0]?.model.itemCount ?? 0
    if (parts.length === 0) throw invalid('has no part')
    for (const { model, weight } of parts) {
      if (!(weight > 0 && Number.isFinite(weight)))
        throw invalid(`gives ${model.kind} the weight ${weight}, which is not above 0`)
      if (model.itemCount !== this.itemCount)
        throw invalid(`has parts of ${this.itemCount} and of ${model.itemCount} items`)
    }
    this.#parts = parts
    this.#scores = new Float64Array(this.itemCount)
    this.#touched = new Uint32Array(this.itemCount)
  }

  /** `loadPart` opens the file of each part. */
  static load(file: ModelFile, loadPart: (bytes: Uint8Array) => Model): SessionBlendModel {
    const weights = file.f32('weights')
    return new SessionBlendModel(
      Array.from(weights, (weight, n) => ({ weight, model: loadPart(file.u8(`part${n}`)) })),
    )
  }

  recommend(user: UserItems, { k, filter }: RecommendOptions): ScoredItems {
    const isAllowed = filterOf(user.items, filter)
    return this.#blend(k, isAllowed, (model, options) => model.recommend(user, options))
  }

  similar(item: number, { k, filter = () => true }: RecommendOptions): ScoredItems {
    return this.#blend(k, filter, (model, options) => model.similar(item, options))
  }

  /** Sums to the item's score under the default filter, less what parts gave that know no person. */
  explain(user: UserItems, item: number): Float32Array {
    const sums = new Float32Array(user.items.length)
    for (const { model, weight } of this.#parts) {
      const { items, scores } = model.recommend(user, { k: BLEND_DEPTH })
      if (!items.includes(item)) continue
      const parts = model.explain(user, item)
      for (let n = 0; n < sums.length; n++) sums[n]! += (weight * parts[n]!) / scores[0]!
    }
    return sums
  }

  /** The reason of the heaviest part that has one. */
  reasons(user: UserItems, items: Uint32Array): Int32Array {
    const byPart = this.#parts
      .toSorted((a, b) => b.weight - a.weight)
      .map(({ model }) => model.reasons(user, items))
    return Int32Array.from(items, (_, n) => byPart.find((reasons) => reasons[n]! >= 0)?.[n] ?? -1)
  }

  save(): Uint8Array {
    const sections: Record<string, Section> = {
      weights: Float32Array.from(this.#parts, ({ weight }) => weight),
    }
    for (const [n, { model }] of this.#parts.entries()) sections[`part${n}`] = model.save()
    return writeModelFile(this.kind, { parts: this.#parts.map(({ model }) => model.kind) }, sections)
  }

  #blend(
    k: number,
    filter: ItemFilter,
    ask: (model: Model, options: RecommendOptions) => ScoredItems,
  ): ScoredItems {
    const scores = this.#scores
    const touched = this.#touched
    let touchedCount = 0
    for (const { model, weight } of this.#parts) {
      const answer = ask(model, { k: Math.max(k, BLEND_DEPTH), filter })
      const factor = weight / (answer.scores[0] ?? 1)
      for (let n = 0; n < answer.items.length; n++) {
        const item = answer.items[n]!
        if (scores[item] === 0) touched[touchedCount++] = item
        scores[item]! += answer.scores[n]! * factor
      }
    }
    const top = new TopK(Math.min(k, touchedCount))
    for (let n = 0; n < touchedCount; n++) {
      const item = touched[n]!
      top.offer(item, scores[item]!)
      scores[item] = 0
    }
    return top.result()
  }
}

function invalid(what: string): RecommenderError {
  return new RecommenderError('MODEL_INPUT_INVALID', `The blend ${what}`)
}
