import { BoundedCache } from '../../bounded-cache.ts'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { PairedProduct } from '../../live/live-state.ts'
import type { Candidate, HistoryProduct, ServingModel } from '../../training/serving-model.ts'
import type { Eligibility } from '../eligibility.ts'
import type { Retrieved } from './blend.ts'
import type { ShopperPast } from './shopper-past.ts'

/** Candidates kept of the model for each product asked for, and at least. */
const CANDIDATES_PER_RESULT = 3
const CANDIDATES_MIN = 60
const NEIGHBOUR_COUNT = 40
/** Newest products whose look-alikes stand in for a model. */
const CONTENT_SOURCES = 3
/** And beside a model, of those it knows nothing of: one look-up in a large catalogue may take milliseconds. */
const CONTENT_SOURCES_BESIDE_MODEL = 1
const CACHE_CAPACITY = 5_000

/**
 * Shares of the blend: the long past, what was done last; of products the model never saw, what others looked at beside
 * them, and what resembles them. The newest
 * product counts as much as all of the past, so that what goes best with it comes first, whatever was done before.
 */
const WEIGHTS = { personal: 1, newest: 1, pairs: 0.7, content: 0.5 } as const

/** Retrievers whose candidates are the same for everybody. */
const NOT_PERSONAL: ReadonlySet<string> = new Set(['popular', 'trending'])

const NONE: readonly Candidate[] = []

/** What goes with products, from live state, by product. */
export type Pairs = ReadonlyMap<string, readonly PairedProduct[]>

export type IsAllowed = (productId: string) => boolean

/** What is remembered of a model while it serves. */
interface RememberedOfModel {
  readonly neighbours: BoundedCache<string, readonly Candidate[]>
  /** A shopper who does nothing new is often asked for again: another page, another place on it. */
  readonly ofPast: WeakMap<ShopperPast, RememberedOfPast>
}

interface RememberedOfPast {
  readonly count: number
  readonly exclusion: Eligibility['exclusion']
  readonly excluded: readonly string[]
  readonly retrieved: readonly Retrieved[]
}

/**
 * Brings candidates for a shopper or a product. Neighbours of a product are the same for everybody, so they are
 * remembered per model and per catalogue version.
 */
export class Retrievers {
  /** By model: variants of an experiment and models in the shadow answer beside the one in production. */
  readonly #ofModels = new WeakMap<ServingModel, RememberedOfModel>()
  readonly #ofCatalogue = new BoundedCache<string, readonly Candidate[]>(CACHE_CAPACITY)
  #catalogueVersion: string | null = null

  /** By the model: what goes with the whole past, and what goes with the newest product. Empty when it knows none. */
  byModel(
    model: ServingModel,
    past: ShopperPast,
    limit: number,
    eligibility: Eligibility,
  ): readonly Retrieved[] {
    const count = Math.max(CANDIDATES_MIN, limit * CANDIDATES_PER_RESULT)
    if (!eligibility.isByPastOnly) return this.#byModel(model, past, count, eligibility)
    const { ofPast } = this.#rememberedOf(model)
    const known = ofPast.get(past)
    const { exclusion } = eligibility
    if (known?.count === count && known.exclusion === exclusion) {
      for (const productId of known.excluded) eligibility.excluded.add(productId)
      return known.retrieved
    }
    const retrieved = this.#byModel(model, past, count, eligibility)
    ofPast.set(past, { count, exclusion, excluded: [...eligibility.excluded], retrieved })
    return retrieved
  }

  #byModel(model: ServingModel, past: ShopperPast, count: number, eligibility: Eligibility): Retrieved[] {
    const { isAllowed, leftOut, isKept } = eligibility
    const newest = past.products[0]
    if (newest === undefined) return []
    const session = bySession(model, past, count, eligibility)
    if (session?.isEnough) return [session]
    const personal = model
      .recommend(past.products, count, leftOut, isKept)
      .filter((candidate) => !NOT_PERSONAL.has(candidate.retriever))
    const near = this.neighboursOfModel(model, newest.product_id)
    return [
      retrieved(personal[0]?.retriever ?? model.kind, WEIGHTS.personal, 'because_of', personal),
      retrieved(
        'newest',
        WEIGHTS.newest,
        'because_of',
        near.filter((candidate) => isAllowed(candidate.product_id)),
      ),
      ...(session === null ? [] : [session]),
      ...byCart(model, past, count, eligibility),
    ].filter(hasCandidates)
  }

  /** By the catalogue: look-alikes of the newest products that the model (if any) knows nothing of. */
  byContent(
    catalogue: Catalogue,
    model: ServingModel | null,
    past: ShopperPast,
    isAllowed: IsAllowed,
  ): Retrieved[] {
    return this.unknownTo(model, past.products).map(({ product_id }, position) =>
      retrieved(
        'content',
        WEIGHTS.content * (model === null ? 1 / (1 + position) : 1),
        'similar',
        this.neighboursOfCatalogue(catalogue, product_id).filter((candidate) =>
          isAllowed(candidate.product_id),
        ),
      ),
    )
  }

  /** By live state: what shoppers did beside the products that the model (if any) knows nothing of. */
  byPairs(pairs: Pairs, isAllowed: IsAllowed): Retrieved[] {
    return [...pairs]
      .map(([product_id, partners], position) =>
        retrieved(
          'pairs',
          WEIGHTS.pairs / (1 + position),
          'seen_together',
          candidatesOf(product_id, partners).filter((candidate) => isAllowed(candidate.product_id)),
        ),
      )
      .filter(hasCandidates)
  }

  neighboursOfModel(model: ServingModel, productId: string): readonly Candidate[] {
    const { neighbours } = this.#rememberedOf(model)
    const known = neighbours.get(productId)
    if (known !== undefined) return known
    const found = model
      .similar(productId, NEIGHBOUR_COUNT)
      .map((candidate) => ({ ...candidate, because_of: productId }))
    neighbours.set(productId, found.length === 0 ? NONE : found)
    return found
  }

  #rememberedOf(model: ServingModel): RememberedOfModel {
    const known = this.#ofModels.get(model)
    if (known !== undefined) return known
    const fresh: RememberedOfModel = { neighbours: new BoundedCache(CACHE_CAPACITY), ofPast: new WeakMap() }
    this.#ofModels.set(model, fresh)
    return fresh
  }

  neighboursOfCatalogue(catalogue: Catalogue, productId: string): readonly Candidate[] {
    if (this.#catalogueVersion !== catalogue.version) {
      this.#ofCatalogue.clear()
      this.#catalogueVersion = catalogue.version
    }
    const known = this.#ofCatalogue.get(productId)
    if (known !== undefined) return known
    const found = catalogue.similar(productId, NEIGHBOUR_COUNT).map(({ product_id, score }) => ({
      product_id,
      score,
      retriever: 'content',
      because_of: productId,
    }))
    this.#ofCatalogue.set(productId, found.length === 0 ? NONE : found)
    return found
  }

  /** The newest products that the model knows nothing of; without a model, the newest. */
  unknownTo(model: ServingModel | null, products: readonly HistoryProduct[]): readonly HistoryProduct[] {
    const newest = products.slice(0, CONTENT_SOURCES)
    if (model === null) return newest
    return newest.filter(({ product_id }) => !model.knows(product_id)).slice(0, CONTENT_SOURCES_BESIDE_MODEL)
  }
}

/** What followed in sessions like the one under way; null where that is not asked for. It is enough where it is to answer alone, and can. */
function bySession(
  { session: model }: ServingModel,
  { session, sessionEventCount, events }: ShopperPast,
  count: number,
  { leftOut, isKept }: Eligibility,
): (Retrieved & { readonly isEnough: boolean }) | null {
  if (model === null || session.length === 0) return null
  const share = sessionEventCount === events.length ? model.use.anonymous : model.use.known
  if (share === 0) return null
  const candidates = model.recommend(session, count, leftOut, isKept)
  const weight = share === 'alone' ? 1 : share
  return {
    ...retrieved(model.kind, weight, 'session', candidates),
    isEnough: share === 'alone' && candidates.length * CANDIDATES_PER_RESULT >= count,
  }
}

/** What is bought with the products of a cart. */
function byCart(
  { cart: model }: ServingModel,
  { products, isCart }: ShopperPast,
  count: number,
  { leftOut, isKept }: Eligibility,
): Retrieved[] {
  if (!isCart || model === null) return []
  const candidates = model.recommend(products, count, leftOut, isKept)
  return [retrieved(model.kind, model.share, 'bought_together', candidates)]
}

/** Candidates that live state brought because of a product. */
export function candidatesOf(because_of: string, partners: readonly PairedProduct[]): Candidate[] {
  return partners.map(({ product_id, score }) => ({ product_id, score, retriever: 'pairs', because_of }))
}

function retrieved(
  retriever: string,
  weight: number,
  reason: Retrieved['reason'],
  candidates: readonly Candidate[],
): Retrieved {
  return { retriever, weight, reason, candidates }
}

function hasCandidates({ candidates }: Retrieved): boolean {
  return candidates.length > 0
}
