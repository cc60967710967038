import type { IdTable, Model, ScoredItems } from '@arus/recommenders'
import { ArusError } from '../errors.ts'
import type { ModelVersion } from '../registry/registry.ts'
import { loadBundle, type ModelBundle } from './model-bundle.ts'
import type {
  Candidate,
  CartRetriever,
  Helper,
  HistoryProduct,
  ServingModel,
  SessionRetriever,
} from './serving-model.ts'

/** Models asked for neighbours of a product, in this order. */
const SIMILAR_BY = ['walk', 'content'] as const

/** Ids remembered at most, each way. */
const REMEMBERED_MAX = 100_000

/** What is remembered of an item in `knows`. */
const NOT_LOOKED = 0
const KNOWN = 1
const NOT_KNOWN = 2

/** Makes a version ready to answer. Throws `MODEL_FILE_CORRUPT`. */
export function loadServingModel(version: ModelVersion, artefact: Uint8Array): ServingModel {
  try {
    return servingModelOf(version, loadBundle(artefact))
  } catch (error) {
    throw new ArusError(
      'MODEL_FILE_CORRUPT',
      `Model version ${version.version} cannot be loaded: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    )
  }
}

/** Models that are in memory already, ready to answer. */
export function servingModelOf(version: VersionName, bundle: ModelBundle): ServingModel {
  return new BundleServingModel(version, bundle)
}

type VersionName = Pick<ModelVersion, 'kind' | 'version' | 'trained_at'>

class BundleServingModel implements ServingModel {
  readonly kind: string
  readonly version: number
  readonly trained_at: number
  readonly session: SessionRetriever | null
  readonly cart: CartRetriever | null
  readonly #products: IdTable
  readonly #models: ReadonlyMap<string, Model>
  readonly #chosen: Model | undefined
  /** Ids and places that were asked for lately: the same few products come up again and again. */
  readonly #ids = new Map<number, string>()
  readonly #places = new Map<string, number>()
  /** What `knows` found of each item: asked for the newest products of every shopper. */
  readonly #isKnown: Uint8Array
  /** 1 for what the answer being computed leaves out, all zero between answers: asked for thousands of items an answer. */
  readonly #isLeftOut: Uint8Array

  constructor(version: VersionName, bundle: ModelBundle) {
    this.kind = version.kind
    this.version = version.version
    this.trained_at = version.trained_at
    this.#products = bundle.products
    this.#models = bundle.models
    this.#chosen = bundle.models.get(bundle.chosen)
    this.#isLeftOut = new Uint8Array(bundle.products.size)
    this.#isKnown = new Uint8Array(bundle.products.size)
    const { session, cart } = bundle
    this.session = session === null ? null : { ...this.#helper(session.model), use: session.use }
    this.cart = cart === null ? null : { ...this.#helper(cart.model), share: cart.share }
  }

  recommend(
    history: readonly HistoryProduct[],
    k: number,
    leftOut: readonly ReadonlySet<string>[] = [],
    isKept: ((productId: string) => boolean) | null = null,
  ): Candidate[] {
    return this.#chosen === undefined ? [] : this.#recommend(this.#chosen, history, k, { leftOut, isKept })
  }

  #helper(model: Model): Helper {
    return {
      kind: model.kind,
      recommend: (products, k, leftOut = [], isKept = null) =>
        this.#recommend(model, products, k, { leftOut, isKept }),
    }
  }

  #recommend(
    model: Model,
    history: readonly HistoryProduct[],
    k: number,
    {
      leftOut,
      isKept,
    }: {
      readonly leftOut: readonly ReadonlySet<string>[]
      readonly isKept: ((productId: string) => boolean) | null
    },
  ): Candidate[] {
    const known: string[] = []
    const items = new Uint32Array(history.length)
    const weights = new Float32Array(history.length)
    for (const { product_id, weight } of history) {
      const item = this.#indexOf(product_id)
      if (item < 0) continue
      items[known.length] = item
      weights[known.length] = weight
      known.push(product_id)
    }
    if (known.length === 0) return []
    const user = { items: items.subarray(0, known.length), weights: weights.subarray(0, known.length) }
    const ranked = this.#without(user.items, leftOut, (isIn) =>
      model.recommend(user, {
        k,
        filter: isKept === null ? isIn : (item) => isIn(item) && isKept(this.#idOf(item)),
      }),
    )
    const reasons = model.reasons(user, ranked.items)
    return this.#candidates(model, ranked, (n) => known[reasons[n]!] ?? null)
  }

  knows(productId: string): boolean {
    const item = this.#indexOf(productId)
    if (item < 0) return false
    if (this.#isKnown[item] === NOT_LOOKED) {
      const hasSimilar = SIMILAR_BY.some(
        (kind) => (this.#models.get(kind)?.similar(item, { k: 1 }).items.length ?? 0) > 0,
      )
      this.#isKnown[item] = hasSimilar ? KNOWN : NOT_KNOWN
    }
    return this.#isKnown[item] === KNOWN
  }

  similar(productId: string, k: number): Candidate[] {
    const item = this.#indexOf(productId)
    if (item < 0) return []
    for (const kind of SIMILAR_BY) {
      const model = this.#models.get(kind)
      const found = model?.similar(item, { k })
      if (model !== undefined && found !== undefined && found.items.length > 0)
        return this.#candidates(model, found, () => productId)
    }
    return []
  }

  popular(k: number): Candidate[] {
    const model = this.#models.get('popular')
    const nobody = { items: new Uint32Array(), weights: new Float32Array() }
    return model === undefined ? [] : this.#candidates(model, model.recommend(nobody, { k }), () => null)
  }

  /** What `rank` gives when neither `own` items nor products of `leftOut` may come. */
  #without<T>(
    own: Uint32Array,
    leftOut: readonly ReadonlySet<string>[],
    rank: (filter: (item: number) => boolean) => T,
  ): T {
    const isLeftOut = this.#isLeftOut
    const marked = [...own]
    for (const products of leftOut) {
      for (const product of products) {
        const item = this.#indexOf(product)
        if (item >= 0) marked.push(item)
      }
    }
    for (const item of marked) isLeftOut[item] = 1
    try {
      return rank((item) => isLeftOut[item] === 0)
    } finally {
      for (const item of marked) isLeftOut[item] = 0
    }
  }

  #idOf(item: number): string {
    const known = this.#ids.get(item)
    if (known !== undefined) return known
    if (this.#ids.size >= REMEMBERED_MAX) this.#ids.clear()
    const id = this.#products.idOf(item)
    this.#ids.set(item, id)
    return id
  }

  #indexOf(productId: string): number {
    const known = this.#places.get(productId)
    if (known !== undefined) return known
    if (this.#places.size >= REMEMBERED_MAX) this.#places.clear()
    const item = this.#products.indexOf(productId)
    this.#places.set(productId, item)
    return item
  }

  #candidates(
    model: Model,
    { items, scores }: ScoredItems,
    becauseOf: (place: number) => string | null,
  ): Candidate[] {
    const candidates: Candidate[] = []
    for (let n = 0; n < items.length; n++) {
      candidates.push({
        product_id: this.#idOf(items[n]!),
        score: scores[n]!,
        retriever: model.kind,
        because_of: becauseOf(n),
      })
    }
    return candidates
  }
}
