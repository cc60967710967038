import { BoundedCache } from '../bounded-cache.ts'
import { KeptOn } from '../kept-on.ts'
import type { PartsNow, Reached } from './levels.ts'
import type { Personal } from './personal-levels.ts'
import type { RecommendationRequest, RecommendedItem } from './recommendation.ts'
import type { Pairs } from './retrieve/retrieve.ts'
import type { ShopperPast } from './retrieve/shopper-past.ts'

/** Products whose answers are kept: two generations of so many, some 15 kB each. */
const PRODUCTS_MAX = 2_000

/** What an answer was made of. */
export interface Made {
  readonly personal: Personal
  readonly reached: Reached
  readonly items: RecommendedItem[]
}

/** What an answer was asked for: what it rests on besides the parts. */
export interface AskedFor {
  /** The product asked about; null for a shopper. */
  readonly productId: string | null
  readonly past: ShopperPast
  readonly request: RecommendationRequest
  /** Null when none is in force. */
  readonly rules: object | null
}

interface Kept extends Made, Pick<PartsNow, 'catalogue' | 'model'> {
  readonly limit: number
}

/**
 * Answers of shoppers who do nothing new and of products, as long as model and catalogue stay: most requests of a shop are
 * such. Only what nothing else decided is kept: no rules, no filters, and the first level alone filled it, without
 * pairs of live state, which grow and fade. The newest of each past, since its next page is asked for with `exclude`.
 */
export class KeptAnswers {
  readonly #ofPasts = new KeptOn<ShopperPast, Kept>()
  readonly #ofProducts = new BoundedCache<string, Kept>(PRODUCTS_MAX)

  /** `pairs`: what live state says now. */
  find(asked: AskedFor, { catalogue, live, model }: PartsNow, pairs: Pairs): Made | null {
    if (live === null || !isPlain(asked) || hasPartners(pairs)) return null
    const { productId, past, request } = asked
    const kept = productId === null ? this.#ofPasts.get(past) : this.#ofProducts.get(productId)
    if (kept === undefined || kept.limit !== request.limit) return null
    return kept.catalogue === catalogue && kept.model === model ? kept : null
  }

  /** Of an answer in whose making no part failed. */
  keep(asked: AskedFor, { catalogue, live, model }: PartsNow, made: Made): void {
    if (!made.reached.isOfFirstLevel || hasPartners(made.personal.pairs)) return
    if (catalogue === null || live === null || !isPlain(asked)) return
    const { productId, past, request } = asked
    const kept = { ...made, catalogue, model, limit: request.limit }
    if (productId === null) this.#ofPasts.set(past, kept)
    else this.#ofProducts.set(productId, kept)
  }
}

function hasPartners(pairs: Pairs): boolean {
  for (const partners of pairs.values()) if (partners.length > 0) return true
  return false
}

/** Nothing but the past, or the product, says what may be in the answer. */
function isPlain({ productId, request, rules }: AskedFor): boolean {
  const { category, minPrice, maxPrice, exclude } = request
  const isOwnProduct = exclude?.length === 1 && exclude[0] === productId
  return (
    rules === null &&
    category === undefined &&
    minPrice === undefined &&
    maxPrice === undefined &&
    (exclude === undefined || exclude.length === 0 || isOwnProduct)
  )
}
