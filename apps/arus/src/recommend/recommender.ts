import { AnswerMaker, msSince } from './answer-maker.ts'
import { type Asked, SCENARIOS } from './asked.ts'
import { FaultReporter } from './fault-reporter.ts'
import { itemOf } from './item.ts'
import { fillerCount } from './levels.ts'
import { rounded } from './passport/passport.ts'
import { NO_PAIRS } from './personal-levels.ts'
import type {
  RecommendationAnswer,
  RecommendationRequest,
  TrendingAnswer,
  TrendingItem,
} from './recommendation.ts'
import type { RecommenderOptions } from './recommender-options.ts'
import { readPast } from './retrieve/read-past.ts'
import { NO_PAST, pastOfCart, type ShopperPast } from './retrieve/shopper-past.ts'
import { ServingParts } from './serving-parts.ts'

/** Answers what a shopper may like. Never fails because a part does: it says in `fallback` how far down it went. */
export interface Recommender {
  forUser(userId: string, request: RecommendationRequest): Promise<RecommendationAnswer>
  forSession(sessionId: string, request: RecommendationRequest): Promise<RecommendationAnswer>
  /** What goes with the products of a cart, given in the order in which they were added. */
  forCart(products: readonly string[], request: RecommendationRequest): Promise<RecommendationAnswer>
  /** Throws `PRODUCT_UNKNOWN` when neither catalogue nor model knows the product. */
  similar(productId: string, request: RecommendationRequest): Promise<RecommendationAnswer>
  trending(limit: number): TrendingAnswer
}

/** See `Recommender`. */
export function createRecommender(options: RecommenderOptions): Recommender {
  return new LadderRecommender(options)
}

class LadderRecommender implements Recommender {
  readonly #options: RecommenderOptions
  readonly #clockMs: () => number
  readonly #faults: FaultReporter
  readonly #parts: ServingParts
  readonly #maker: AnswerMaker

  constructor(options: RecommenderOptions) {
    this.#options = options
    this.#clockMs = options.clockMs ?? (() => performance.now())
    this.#faults = new FaultReporter(options.onFault ?? (() => {}), options.now)
    this.#parts = new ServingParts(options, this.#faults)
    this.#maker = new AnswerMaker(options, { clockMs: this.#clockMs, faults: this.#faults })
  }

  async forUser(userId: string, request: RecommendationRequest): Promise<RecommendationAnswer> {
    const startedMs = this.#clockMs()
    const sessionId = request.sessionId ?? null
    const past = await readPast(this.#options.live, { userId, sessionId }, this.#faults)
    return this.#answer('user', request, { userId, sessionId, startedMs, past })
  }

  async forSession(sessionId: string, request: RecommendationRequest): Promise<RecommendationAnswer> {
    const startedMs = this.#clockMs()
    const past = await readPast(this.#options.live, { userId: null, sessionId }, this.#faults)
    return this.#answer('session', request, { sessionId, startedMs, past })
  }

  async forCart(products: readonly string[], request: RecommendationRequest): Promise<RecommendationAnswer> {
    const startedMs = this.#clockMs()
    return this.#answer('cart', request, { cart: products, startedMs, past: pastOfCart(products) })
  }

  async similar(productId: string, request: RecommendationRequest): Promise<RecommendationAnswer> {
    const startedMs = this.#clockMs()
    const others = { ...request, exclude: [productId, ...(request.exclude ?? [])] }
    return this.#answer('similar', others, { productId, startedMs, past: NO_PAST })
  }

  trending(limit: number): TrendingAnswer {
    const startedMs = this.#clockMs()
    const parts = this.#parts.now()
    const trends = this.#faults.attempt('trending', [], () => parts.live?.trending(fillerCount(limit)) ?? [])
    const figures = new Map(trends.map((trend) => [trend.product_id, trend]))
    const { picks, fallback } = this.#maker.climb(
      { past: NO_PAST, request: { limit }, ...this.#parts.limits('trending', NO_PAST, {}) },
      parts,
      { personal: { retrieved: [], level: null, pairs: NO_PAIRS }, seed: null },
    )
    const trending: TrendingItem[] = picks.map((pick, position) => {
      const trend = figures.get(pick.product_id)
      return {
        ...itemOf(pick, position + 1),
        trend_score: rounded(trend?.trend_score ?? 0),
        views_today: trend?.views_today ?? 0,
        growth_rate: trend?.growth_rate ?? null,
      }
    })
    return {
      trending,
      fallback: fallback === 'trending' ? null : fallback,
      generated_at: new Date(this.#options.now()).toISOString(),
      took_ms: msSince(startedMs, this.#clockMs()),
    }
  }

  #answer(
    kind: Asked['kind'],
    request: RecommendationRequest,
    {
      past,
      startedMs,
      productId = null,
      userId = null,
      sessionId = null,
      cart,
    }: {
      readonly past: ShopperPast
      readonly startedMs: number
    } & Partial<Pick<Asked, 'productId' | 'userId' | 'sessionId' | 'cart'>>,
  ): Promise<RecommendationAnswer> {
    const scenario = request.scenario ?? SCENARIOS[kind]
    const { eligibility, rules } = this.#parts.limits(scenario, past, request)
    const treatment = this.#parts.treatmentOf(userId ?? sessionId, scenario)
    const who = { kind, productId, cart, userId, sessionId }
    const asked = { ...who, scenario, request, startedMs, past, eligibility, treatment, rules }
    return this.#maker.answer(asked, this.#parts.for(asked))
  }
}
