import type { Catalogue } from '../catalogue/catalogue.ts'
import type { LiveState } from '../live/live-state.ts'
import type { CompiledRules } from '../rules/compiled-rules.ts'
import type { ServingModel } from '../training/serving-model.ts'
import type { Arranged } from './arrange/arranged.ts'
import { categoryIdOf, type Eligibility } from './eligibility.ts'
import type { FaultReporter } from './fault-reporter.ts'
import type { Picked } from './item.ts'
import type { ProductFacts } from './product-facts.ts'
import type { Fallback, Reason, ReasonKind, RecommendationFilters } from './recommendation.ts'
import type { RememberedProducts } from './remembered-products.ts'
import { type Blended, blend, type Retrieved } from './retrieve/blend.ts'

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
  /** Products on the pages before. */
  readonly shownCount: number
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
  /** Rules in force; null when there are none. */
  readonly rules: CompiledRules | null
  /** What random draws are seeded from; null where nothing may be drawn, since it would be noted nowhere. */
  readonly seed: string | null
}

export interface Reached {
  readonly picks: readonly Picked[]
  /** The first level that gave a product. */
  readonly fallback: Fallback
  /** The model gave at least one of them. */
  readonly isModelUsed: boolean
  /** The first level alone filled the answer, and no rule was in force. */
  readonly isOfFirstLevel: boolean
  /** What rules did; null where none was in force. */
  readonly arranged: Arranged | null
}

/** How many trending or popular products are looked at to find `limit`. */
export function fillerCount(limit: number): number {
  return Math.max(FILLER_MIN, limit * FILLER_PER_RESULT)
}

/** A product that a level brings. */
export interface Source {
  readonly product_id: string
  readonly score: number
  readonly kind: ReasonKind
  readonly because_of: string | null
}

/** A rung of the ladder. Scores can be compared within it, and with those of no other. */
export interface Level {
  /** For reports of faults. */
  readonly name: string
  readonly fallback: Fallback
  sources(): readonly Source[]
}

/** The levels above the last, the highest first. */
export function levelsOf(climb: Climb): Level[] {
  const count = fillerCount(climb.limit)
  return [
    { name: 'personal', fallback: climb.personalLevel, sources: () => personalOf(climb) },
    { name: 'trending', fallback: 'trending', sources: () => trendingOf(climb, count) },
    { name: 'popular of the model', fallback: 'popular', sources: () => popularOfModel(climb, count) },
    { name: 'popular', fallback: 'popular', sources: () => popularOfCatalogue(climb, count) },
  ]
}

function personalOf({ retrieved, sessionProducts }: Climb): Source[] {
  return blend(retrieved).map((product) => sourceOf(product, sessionProducts))
}

function trendingOf({ live }: Climb, count: number): Source[] {
  return (live?.trending(count) ?? []).map(({ product_id, trend_score }) => ({
    product_id,
    score: trend_score,
    kind: 'trending',
    because_of: null,
  }))
}

/** Best sellers by what shoppers did; none where a category is asked for, since few of them would be of it. */
function popularOfModel({ model, filters }: Climb, count: number): Source[] {
  if (model === null || filters.category !== undefined) return []
  return model.popular(count).map(popular)
}

/** Best sellers of the category when one is asked for, else of all. */
function popularOfCatalogue({ catalogue, filters: { category } }: Climb, count: number): Source[] {
  if (catalogue === null) return []
  if (category === undefined) return catalogue.popular(count).map(popular)
  const categoryId = categoryIdOf(catalogue, category)
  return categoryId === undefined ? [] : catalogue.popular(count, categoryId).map(popular)
}

function popular({ product_id, score }: Pick<Source, 'product_id' | 'score'>): Source {
  return { product_id, score, kind: 'popular', because_of: null }
}

function sourceOf(
  { product_id, score, reason, because_of }: Blended,
  sessionProducts: ReadonlySet<string>,
): Source {
  const kind = because_of !== null && sessionProducts.has(because_of) ? 'session' : reason
  return { product_id, score, kind, because_of }
}

/** Why a product is in an answer, with the title of what led to it. */
export function reasonOf(climb: Climb, kind: ReasonKind, becauseOf: string | null): Reason {
  if (becauseOf === null) return { kind }
  const { product } = climb.facts.of(climb.catalogue, becauseOf)
  return { kind, because_of: { product_id: becauseOf, title: product?.title ?? null } }
}
