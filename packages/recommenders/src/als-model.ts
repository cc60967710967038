import { doesCount } from './confidence.ts'
import type { DenseMatrix, Kernels } from './kernels/kernels.ts'
import { openKernels } from './kernels/open-kernels.ts'
import { confidenceOf } from './log-weights.ts'
import type { Model, RecommendOptions, ScoredItems, UserItems } from './model.ts'
import { type ModelFile, writeModelFile } from './model-file.ts'
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
  readonly #ownItems: Uint32Array
  readonly #ownParts: Float32Array

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
    this.#ownItems = kernels.indexes(FOLDED_ITEMS_MAX)
    this.#ownParts = kernels.floats(FOLDED_ITEMS_MAX)
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
    const isAllowed = filterOf(user.items, filter)
    let most = 0
    for (let n = 0; n < count; n++) most = Math.max(most, this.#scores[n]!)
    const top = new TopK(Math.min(k, count))
    for (let n = 0; n < count; n++) {
      const score = this.#scores[n]!
      if (score > NOISE * most && score >= top.least && isAllowed(this.#places[n]!))
        top.offer(this.#places[n]!, score)
    }
    return top.result()
  }

  similar(item: number, { k, filter = () => true }: RecommendOptions): ScoredItems {
    const own = { items: Uint32Array.of(item), weights: Float32Array.of(1) }
    return this.recommend(own, { k, filter: (other) => other !== item && filter(other) })
  }

  explain(user: UserItems, item: number): Float32Array {
    const parts = new Float32Array(user.items.length)
    if (item >= this.itemCount || !this.#factorise(user)) return parts
    const own = this.#ownOf(user)
    this.#findParts(own, item)
    for (const [n, place] of own.entries()) parts[place] = this.#partAt(user, n, place)
    return parts
  }

  /** One factor, a solution for each item. */
  reasons(user: UserItems, items: Uint32Array): Int32Array {
    const best = new Int32Array(items.length).fill(-1)
    if (!this.#factorise(user)) return best
    const own = this.#ownOf(user)
    for (const [m, item] of items.entries()) {
      if (item >= this.itemCount) continue
      this.#findParts(own, item)
      let most = 0
      for (let n = 0; n < own.length; n++) {
        const part = this.#partAt(user, n, own[n]!)
        if (part <= most) continue
        most = part
        best[m] = own[n]!
      }
    }
    return best
  }

  save(): Uint8Array {
    const { items, candidates, params } = this.#factors
    return writeModelFile(
      this.kind,
      { ...params, itemCount: items.rowCount, hasCandidates: candidates !== null },
      { items: items.values, ...candidates },
    )
  }

  /** Solves for the user's vector, into `#vector`; false where none of their items is known. */
  #foldIn(user: UserItems): boolean {
    if (!this.#factorise(user)) return false
    const { width, values } = this.#factors.items
    this.#vector.fill(0)
    for (const [n, item] of known(user, this.itemCount)) {
      const pull = this.#pullOf(user.weights[n]!)
      for (let i = 0; i < width; i++) this.#vector[i]! += pull * values[item * width + i]!
    }
    this.#factors.kernels.solve(this.#system, this.#vector)
    return true
  }

  /** How much an item's vector counts on the right-hand side: nothing where a score of 0 is wanted. */
  #pullOf(weight: number): number {
    const { objective, unobservedWeight } = this.#factors.params
    if (weight <= 0) return 0
    return confidenceOf(weight) + (objective === 'hu-2008' ? unobservedWeight : 0)
  }

  /** Makes the factor of α₀ YᵀY + Σ c y yᵀ + λ_u in `#system`. */
  #factorise(user: UserItems): boolean {
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
    return kernels.cholesky(this.#system) === width
  }

  /** Where the items that count stand among the user's; the items themselves go into `#ownItems`. */
  #ownOf(user: UserItems): number[] {
    const places: number[] = []
    for (const [place, item] of known(user, this.itemCount)) {
      this.#ownItems[places.length] = item
      places.push(place)
    }
    return places
  }

  /** Hu et al. 2008, §5, eq. 7: the score of an item as a sum over the user's items, y_jᵀ A^-1 y_i c_i; c_i apart, into `#ownParts`. */
  #findParts(own: readonly number[], item: number): void {
    const { kernels, items } = this.#factors
    this.#vector.set(items.values.subarray(item * items.width, (item + 1) * items.width))
    kernels.solve(this.#system, this.#vector)
    kernels.dotsOf(this.#vector, items, this.#ownItems, own.length, this.#ownParts)
  }

  #partAt(user: UserItems, n: number, place: number): number {
    return this.#pullOf(user.weights[place]!) * this.#ownParts[n]!
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
