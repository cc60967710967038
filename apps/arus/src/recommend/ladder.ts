import type { Catalogue } from '../catalogue/catalogue.ts'
import type { LiveState } from '../live/live-state.ts'
import type { ServingModel } from '../training/serving-model.ts'
import { type Blended, blend, type Retrieved } from './blend.ts'
import { categoryIdOf, type Eligibility } from './eligibility.ts'
import type { FaultReporter } from './fault-reporter.ts'
import type { Picked } from './item.ts'
import type { ProductFacts } from './product-facts.ts'
import type { Fallback, Reason, ReasonKind, RecommendationFilters } from './recommendation.ts'
import type { RememberedProducts } from './remembered-products.ts'

/** Non-personal candidates looked at for each product asked for: filters may drop most of them. */
const FILLER_PER_RESULT = 5
const FILLER_MIN = 50

/** What recommending asks of live state. */
export type LiveReads = Pick<
  LiveState,
  'history' | 'session' | 'trending' | 'goesWith' | 'countRecommendation'
>

/** The parts there are at the moment of a request. */
export interface PartsNow {
  readonly catalogue: Catalogue | null
  readonly live: LiveReads | null
  readonly model: ServingModel | null
}

export interface Climb extends PartsNow {
  readonly limit: number
  readonly eligibility: Eligibility
  readonly filters: RecommendationFilters
  /** What the personal levels brought; may be empty. */
  readonly retrieved: readonly Retrieved[]
  /** What they brought because of one of these is said to be for the session. */
  readonly sessionProducts: ReadonlySet<string>
  /** What the answer is called when those gave a product. */
  readonly personalLevel: Fallback
  readonly remembered: RememberedProducts
  readonly facts: ProductFacts
  readonly faults: FaultReporter
}

export interface Reached {
  readonly picks: readonly Picked[]
  /** The first level that gave a product. */
  readonly fallback: Fallback
  /** The model gave at least one of them. */
  readonly isModelUsed: boolean
}

/** How many trending or popular products are looked at to find `limit`. */
export function fillerCount(limit: number): number {
  return Math.max(FILLER_MIN, limit * FILLER_PER_RESULT)
}

interface Source {
  readonly product_id: string
  readonly score: number
  readonly kind: ReasonKind
  readonly because_of: string | null
}

interface Level {
  readonly name: Exclude<Fallback, null> | 'personal'
  readonly fallback: Fallback
  sources(): readonly Source[]
}

/**
 * Fills an answer from the highest level down: personal, trending, popular, static. A level that throws is reported
 * and passed over. Products already picked, filtered out or unknown to the catalogue are left out.
 */
export function climbDown(climb: Climb): Reached {
  const picks: Picked[] = []
  const taken = new Set<string>()
  let fallback: Fallback = 'static'
  let isModelUsed = false
  for (const level of levelsOf(climb)) {
    if (picks.length >= climb.limit) break
    const before = picks.length
    const sources = climb.faults.attempt(level.name, [], () => level.sources())
    take(climb, sources, picks, taken)
    if (before === 0 && picks.length > 0) {
      fallback = level.fallback
      isModelUsed = level.fallback === null
    }
  }
  if (picks.length < climb.limit) takeRemembered(climb, picks, taken)
  return { picks, fallback: picks.length === 0 ? 'static' : fallback, isModelUsed }
}

function levelsOf({ retrieved, sessionProducts, personalLevel, live, limit, ...climb }: Climb): Level[] {
  const count = fillerCount(limit)
  return [
    {
      name: 'personal',
      fallback: personalLevel,
      sources: () => blend(retrieved).map((product) => sourceOf(product, sessionProducts)),
    },
    {
      name: 'trending',
      fallback: 'trending',
      sources: () =>
        (live?.trending(count) ?? []).map(({ product_id, trend_score }) => ({
          product_id,
          score: trend_score,
          kind: 'trending',
          because_of: null,
        })),
    },
    { name: 'popular', fallback: 'popular', sources: () => popularOf(climb, count) },
  ]
}

/** Best sellers of the category when one is asked for, else the model's, else the catalogue's. */
function popularOf(
  { catalogue, model, filters, faults }: Pick<Climb, 'catalogue' | 'model' | 'filters' | 'faults'>,
  count: number,
): Source[] {
  const { category } = filters
  const ofModel =
    category === undefined && model !== null
      ? faults.attempt('popular of the model', [], () => model.popular(count))
      : []
  const categoryId =
    category === undefined ? undefined : catalogue === null ? undefined : categoryIdOf(catalogue, category)
  const isNoCategory = category !== undefined && categoryId === undefined
  const ofCatalogue = catalogue === null || isNoCategory ? [] : catalogue.popular(count, categoryId)
  return [...ofModel, ...ofCatalogue].map(({ product_id, score }) => ({
    product_id,
    score,
    kind: 'popular',
    because_of: null,
  }))
}

function sourceOf(
  { product_id, score, reason, because_of }: Blended,
  sessionProducts: ReadonlySet<string>,
): Source {
  const kind = because_of !== null && sessionProducts.has(because_of) ? 'session' : reason
  return { product_id, score, kind, because_of }
}

function take(climb: Climb, sources: readonly Source[], picks: Picked[], taken: Set<string>): void {
  const { catalogue, eligibility, limit } = climb
  for (const { product_id, score, kind, because_of } of sources) {
    if (picks.length >= limit) return
    if (taken.has(product_id) || !eligibility.isAllowed(product_id)) continue
    const { product, isGone } = climb.facts.of(catalogue, product_id)
    if (!eligibility.fits(product, isGone)) continue
    taken.add(product_id)
    picks.push({ product_id, score, product, reason: reasonOf(climb, kind, because_of) })
  }
}

function takeRemembered(
  { remembered, eligibility, limit }: Climb,
  picks: Picked[],
  taken: Set<string>,
): void {
  const reason: Reason = { kind: 'static' }
  const products = remembered.read()
  const isAllowed = picks.length === 0 ? eligibility.isAllowedAgain : eligibility.isAllowed
  for (let position = 0; position < products.length && picks.length < limit; position++) {
    const product = products[position]!
    const { product_id } = product
    if (taken.has(product_id) || !isAllowed(product_id)) continue
    if (!eligibility.fits(product, false)) continue
    taken.add(product_id)
    picks.push({ product_id, score: 1 / (1 + position), product, reason })
  }
}

function reasonOf(climb: Climb, kind: ReasonKind, becauseOf: string | null): Reason {
  if (becauseOf === null) return { kind }
  const { product } = climb.facts.of(climb.catalogue, becauseOf)
  return { kind, because_of: { product_id: becauseOf, title: product?.title ?? null } }
}
