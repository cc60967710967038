import { doesCount } from './confidence.ts'
import type { DenseMatrix, Kernels } from './kernels/kernels.ts'
import { openKernels } from './kernels/open-kernels.ts'
import { confidenceOf } from './log-weights.ts'
import type { ItemFilter, Model, RecommendOptions, ScoredItems, UserItems } from './model.ts'
import { type FileParts, type ModelFile, modelFile } from './model-file.ts'
import { filterOf, TopK } from './top-k.ts'

/** What `fitAls` found. */
export interface AlsFactors {
  readonly kernels: Kernels
  /** One row an item, in the memory of the kernels. */
  readonly items: DenseMatrix
  /** For large catalogues, the items that are ranked for a user: those beside theirs. Null: all are. */
  readonly candidates: Candidates | null
  readonly params: AlsParams
}

/** Items of each item, row after row. */
export interface Candidates {
  readonly starts: Uint32Array
  readonly columns: Uint32Array
}

/** The parts of the objective that a fold-in needs; see `AlsOptions`. */
export interface AlsParams {
  readonly unobservedWeight: number
  readonly ridge: number
  readonly ridgeExponent: number
  /**
   * What the vectors minimise. `rendle-2022`, also where none is named: see `fitAls`. `hu-2008`: Hu, Koren, Volinsky, "Collaborative
   * Filtering for Implicit Feedback Datasets", ICDM 2008, eq. 3, whose confidence 1 + α r also counts for what was seen, with the
   * regularisation λ n_u of Zhou, Wilkinson, Schreiber, Pan, "Large-Scale Parallel Collaborative Filtering for the Netflix Prize", AAIM
   * 2008, eq. 2. Divided by α, it is in the terms used here (α₀ = 1/α, ridge λ/α, ν = 1):
   *
   *   Σ_(u,i) seen (α₀ + c_ui) (p_ui - x_u·y_i)² + α₀ Σ_(u,i) unseen (x_u·y_i)² + λ/α Σ_u n_u^ν |x_u|² + λ/α Σ_i n_i^ν |y_i|²
   *
   * n counts what was liked: p_ui = 1.
   */
  readonly objective?: 'rendle-2022' | 'hu-2008'
}

/** Items of a user that are folded in at most: the newest. */
const FOLDED_ITEMS_MAX = 512
/** Answers whose reasons are computed at once. */
const ANSWERS_MAX = 512
/** Some so many of the best scores are looked at first for each item asked for; the rest only where the filter left too few of them. */
const LEADING_PER_RESULT = 3
/** One score of so many is looked at to tell where the best begin. */
const SAMPLED = 16
/** Scores this small beside the best one are rounding. */
const NOISE = 1e-3

/** Vectors of items; a user's vector is solved from their items at request time, so nobody need be known from training. */
export class AlsModel implements Model {
  readonly kind = 'als'
  readonly #factors: AlsFactors
  /** G: α₀ YᵀY. */
  readonly #gram: DenseMatrix
  readonly #system: DenseMatrix
  readonly #systemPart: DenseMatrix
  readonly #rows: DenseMatrix
  readonly #vector: Float32Array
  readonly #places: Uint32Array
  readonly #scores: Float32Array
  readonly #isTouched: Uint8Array
  /** Items whose parts are computed, and the parts. */
  readonly #answers: Uint32Array
  readonly #parts: Float32Array
  /** Whose factor is in `#system`. */
  #factorised: UserItems | null = null

  constructor(factors: AlsFactors) {
    const { kernels, items, candidates, params } = factors
    const { width, rowCount } = items
    this.#factors = factors
    this.#gram = kernels.dense(width, width)
    kernels.gram(items, this.#gram)
    for (let n = 0; n < this.#gram.values.length; n++) this.#gram.values[n]! *= params.unobservedWeight
    this.#system = kernels.dense(width, width)
    this.#systemPart = kernels.dense(width, width)
    this.#rows = kernels.dense(FOLDED_ITEMS_MAX, width)
    this.#vector = kernels.floats(width)
    this.#places = kernels.indexes(rowCount)
    if (candidates === null) for (let item = 0; item < rowCount; item++) this.#places[item] = item
    this.#scores = kernels.floats(rowCount)
    this.#isTouched = new Uint8Array(rowCount)
    this.#answers = kernels.indexes(ANSWERS_MAX)
    this.#parts = kernels.floats(ANSWERS_MAX)
  }

  static load(file: ModelFile): AlsModel {
    const saved = file.f32('items')
    const { itemCount, hasCandidates, ...params } = file.meta as unknown as AlsParams & {
      readonly itemCount: number
      readonly hasCandidates: boolean
    }
    const kernels = openKernels()
    const items = kernels.dense(itemCount, itemCount === 0 ? 16 : saved.length / itemCount)
    items.values.set(saved)
    const candidates = hasCandidates ? { starts: file.u32('starts'), columns: file.u32('columns') } : null
    return new AlsModel({ kernels, items, candidates, params })
  }

  get itemCount(): number {
    return this.#factors.items.rowCount
  }

  recommend(user: UserItems, { k, filter }: RecommendOptions): ScoredItems {
    const { kernels, items } = this.#factors
    if (!this.#foldIn(user)) return { items: new Uint32Array(), scores: new Float32Array() }
    const count = this.#candidatesOf(user)
    kernels.dotsOf(this.#vector, items, this.#places, count, this.#scores)
    return this.#best(count, k, filterOf(user.items, filter))
  }

  /** The `k` best of the first so many of `#places`, of those whose scores are more than rounding. */
  #best(count: number, k: number, isAllowed: ItemFilter): ScoredItems {
    const scores = this.#scores.subarray(0, count)
    let most = 0
    for (let n = 0; n < count; n++) if (scores[n]! > most) most = scores[n]!
    const noise = NOISE * most
    const top = new TopK(Math.min(k, count))
    const limit = Math.max(noise, nearlyLeastOf(scores, LEADING_PER_RESULT * Math.min(k, count)))
    this.#offer(scores, top, { above: limit, upTo: most, isAllowed })
    if (!top.isFull) this.#offer(scores, top, { above: noise, upTo: limit, isAllowed })
    return top.result()
  }

  #offer(
    scores: Float32Array,
    top: TopK,
    {
      above,
      upTo,
      isAllowed,
    }: { readonly above: number; readonly upTo: number; readonly isAllowed: ItemFilter },
  ): void {
    const places = this.#places
    for (let n = 0; n < scores.length; n++) {
      const score = scores[n]!
      if (score > above && score <= upTo && score >= top.least && isAllowed(places[n]!))
        top.offer(places[n]!, score)
    }
  }

  similar(item: number, { k, filter = () => true }: RecommendOptions): ScoredItems {
    const own = { items: Uint32Array.of(item), weights: Float32Array.of(1) }
    return this.recommend(own, { k, filter: (other) => other !== item && filter(other) })
  }

  /** Hu et al. 2008, §5, eq. 7: the score of an item as a sum over the user's items, y_jᵀ A^-1 y_i c_i. */
  explain(user: UserItems, item: number): Float32Array {
    const parts = new Float32Array(user.items.length)
    if (item >= this.itemCount || !this.#factorise(user)) return parts
    this.#answers[0] = item
    for (const [place, own] of known(user, this.itemCount))
      parts[place] = this.#pullOf(user.weights[place]!) * this.#partsOf(own, 1)[0]!
    return parts
  }

  /** One factor, and a solution for each of the user's items: A is symmetric, so that each gives its part of all answers. */
  reasons(user: UserItems, items: Uint32Array): Int32Array {
    const best = new Int32Array(items.length).fill(-1)
    if (!this.#factorise(user)) return best
    for (let from = 0; from < items.length; from += ANSWERS_MAX)
      this.#findReasons(user, items.subarray(from, from + ANSWERS_MAX), best.subarray(from))
    return best
  }

  #findReasons(user: UserItems, items: Uint32Array, best: Int32Array): void {
    const asked = Array.from(items.keys()).filter((m) => items[m]! < this.itemCount)
    for (const [n, m] of asked.entries()) this.#answers[n] = items[m]!
    const most = new Float32Array(asked.length)
    for (const [place, own] of known(user, this.itemCount)) {
      const pull = this.#pullOf(user.weights[place]!)
      if (pull === 0) continue
      const parts = this.#partsOf(own, asked.length)
      for (let n = 0; n < asked.length; n++) {
        const part = pull * parts[n]!
        if (part <= most[n]!) continue
        most[n] = part
        best[asked[n]!] = place
      }
    }
  }

  file(): FileParts {
    const { items, candidates, params } = this.#factors
    return modelFile(
      this.kind,
      { ...params, itemCount: items.rowCount, hasCandidates: candidates !== null },
      { items: items.values, ...candidates },
    )
  }

  /** Solves for the user's vector, into `#vector`; false where none of their items is known. */
  #foldIn(user: UserItems): boolean {
    if (!this.#factorise(user)) return false
    const { width, values } = this.#factors.items
    const vector = this.#vector.fill(0)
    for (const [n, item] of known(user, this.itemCount)) {
      const pull = this.#pullOf(user.weights[n]!)
      for (let i = 0; i < width; i++) vector[i]! += pull * values[item * width + i]!
    }
    this.#factors.kernels.solve(this.#system, vector)
    return true
  }

  /** How much an item's vector counts on the right-hand side: nothing where a score of 0 is wanted. */
  #pullOf(weight: number): number {
    const { objective, unobservedWeight } = this.#factors.params
    if (weight <= 0) return 0
    return confidenceOf(weight) + (objective === 'hu-2008' ? unobservedWeight : 0)
  }

  /** Makes the factor of α₀ YᵀY + Σ c y yᵀ + λ_u in `#system`, or keeps it: reasons are asked of whom an answer was just made for. */
  #factorise(user: UserItems): boolean {
    if (isSame(this.#factorised, user)) return true
    this.#factorised = null
    const { kernels, items, params } = this.#factors
    const { width, values } = items
    const rows = this.#rows.values
    let count = 0
    let likedCount = 0
    for (const [n, item] of known(user, this.itemCount)) {
      const root = Math.sqrt(confidenceOf(Math.abs(user.weights[n]!)))
      for (let i = 0; i < width; i++) rows[count * width + i] = root * values[item * width + i]!
      count += 1
      if (user.weights[n]! > 0) likedCount += 1
    }
    if (count === 0) return false
    kernels.gram({ ...this.#rows, rowCount: count }, this.#systemPart)
    const [system, part, gram] = [this.#system.values, this.#systemPart.values, this.#gram.values]
    for (let n = 0; n < system.length; n++) system[n] = gram[n]! + part[n]!
    const ridge = ridgeOf(params, params.objective === 'hu-2008' ? likedCount : count, this.itemCount)
    for (let i = 0; i < width; i++) system[i * (width + 1)]! += ridge
    if (kernels.cholesky(this.#system) < width) return false
    this.#factorised = { items: user.items.slice(), weights: user.weights.slice() }
    return true
  }

  /** y_jᵀ A^-1 y_i of one of the user's items i and the first so many of `#answers` j. */
  #partsOf(own: number, count: number): Float32Array {
    const { kernels, items } = this.#factors
    this.#vector.set(items.values.subarray(own * items.width, (own + 1) * items.width))
    kernels.solve(this.#system, this.#vector)
    kernels.dotsOf(this.#vector, items, this.#answers, count, this.#parts)
    return this.#parts
  }

  /** Puts the items to rank into `#places`; returns how many. */
  #candidatesOf(user: UserItems): number {
    const { candidates } = this.#factors
    if (candidates === null) return this.itemCount
    const { starts, columns } = candidates
    let count = 0
    for (const [, own] of known(user, this.itemCount)) {
      for (let at = starts[own]!; at < starts[own + 1]!; at++) {
        if (this.#isTouched[columns[at]!] === 1) continue
        this.#isTouched[columns[at]!] = 1
        this.#places[count++] = columns[at]!
      }
    }
    for (let n = 0; n < count; n++) this.#isTouched[this.#places[n]!] = 0
    return count
  }
}

function isSame(a: UserItems | null, b: UserItems): boolean {
  if (a === null || a.items.length !== b.items.length) return false
  for (let n = 0; n < b.items.length; n++)
    if (a.items[n] !== b.items[n] || a.weights[n] !== b.weights[n]) return false
  return true
}

/**
 * A number that some `count` of the scores are above, by a sample: where most of a long list is passed over at once, the few
 * comparisons that end otherwise cost what the others save.
 */
function nearlyLeastOf(scores: Float32Array, count: number): number {
  const sample = new TopK(Math.ceil(count / SAMPLED))
  for (let n = 0; n < scores.length; n += SAMPLED) if (scores[n]! >= sample.least) sample.offer(n, scores[n]!)
  return sample.isFull ? sample.least : Number.NEGATIVE_INFINITY
}

/** λ (entries + α₀ × all there could be)^ν of a row; of `hu-2008` λ entries^ν. */
export function ridgeOf(
  { ridge, ridgeExponent, unobservedWeight, objective }: AlsParams,
  entryCount: number,
  columnCount: number,
): number {
  const unobserved = objective === 'hu-2008' ? 0 : unobservedWeight * columnCount
  return ridge * (entryCount + unobserved) ** ridgeExponent
}

/** Places and items of a user that the model knows and that count, the newest ones; what is disliked too: a score of 0 is wanted there (Hu et al., eq. 3: p = 0). */
function* known(
  { items, weights }: UserItems,
  itemCount: number,
): Generator<readonly [place: number, item: number]> {
  let count = 0
  for (let n = 0; n < items.length && count < FOLDED_ITEMS_MAX; n++) {
    if (items[n]! >= itemCount || !doesCount(weights[n]!) || weights[n] === 0) continue
    count += 1
    yield [n, items[n]!]
  }
}
