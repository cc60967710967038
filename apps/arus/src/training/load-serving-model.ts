import type { IdTable, Model, ScoredItems } from '@arus/recommenders'
import { ArusError } from '../errors.ts'
import type { ModelVersion } from '../registry/registry.ts'
import { loadBundle } from './model-bundle.ts'
import type { Candidate, HistoryProduct, ServingModel } from './serving-model.ts'

/** Models asked for neighbours of a product, in this order. */
const SIMILAR_BY = ['walk', 'content'] as const

/** Makes a version ready to answer. Throws `MODEL_FILE_CORRUPT`. */
export function loadServingModel(version: ModelVersion, artefact: Uint8Array): ServingModel {
  try {
    return new BundleServingModel(version, artefact)
  } catch (error) {
    throw new ArusError(
      'MODEL_FILE_CORRUPT',
      `Model version ${version.version} cannot be loaded: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    )
  }
}

class BundleServingModel implements ServingModel {
  readonly kind: string
  readonly version: number
  readonly trained_at: number
  readonly #products: IdTable
  readonly #models: ReadonlyMap<string, Model>
  readonly #chosen: Model | undefined

  constructor(version: ModelVersion, artefact: Uint8Array) {
    const bundle = loadBundle(artefact)
    this.kind = version.kind
    this.version = version.version
    this.trained_at = version.trained_at
    this.#products = bundle.products
    this.#models = bundle.models
    this.#chosen = bundle.models.get(bundle.chosen)
  }

  recommend(
    history: readonly HistoryProduct[],
    k: number,
    isAllowed: (productId: string) => boolean = () => true,
  ): Candidate[] {
    const model = this.#chosen
    const known = history
      .map(({ product_id, weight }) => ({ product_id, weight, item: this.#products.indexOf(product_id) }))
      .filter(({ item }) => item >= 0)
    if (model === undefined || known.length === 0) return []
    const user = {
      items: Uint32Array.from(known, ({ item }) => item),
      weights: Float32Array.from(known, ({ weight }) => weight),
    }
    const own = new Set(user.items)
    const filter = (item: number) => !own.has(item) && isAllowed(this.#products.idOf(item))
    return this.#candidates(model, model.recommend(user, { k, filter }), (item) => {
      const parts = model.explain(user, item)
      const best = parts.indexOf(Math.max(...parts))
      return (parts[best] ?? 0) > 0 ? (known[best]?.product_id ?? null) : null
    })
  }

  similar(productId: string, k: number): Candidate[] {
    const item = this.#products.indexOf(productId)
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

  #candidates(
    model: Model,
    { items, scores }: ScoredItems,
    becauseOf: (item: number) => string | null,
  ): Candidate[] {
    return Array.from(items, (item, n) => ({
      product_id: this.#products.idOf(item),
      score: scores[n]!,
      retriever: model.kind,
      because_of: becauseOf(item),
    }))
  }
}
