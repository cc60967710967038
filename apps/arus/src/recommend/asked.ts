import type { Treatment } from '../experiments/treatment.ts'
import type { CompiledRules } from '../rules/compiled-rules.ts'
import type { Eligibility } from './eligibility.ts'
import type { PassportRequest, PassportSource } from './passport/passport.ts'
import type { RecommendationRequest } from './recommendation.ts'
import type { ShopperPast } from './retrieve/shopper-past.ts'

/** A request, with what holds for its answer. */
export interface Asked {
  readonly kind: PassportRequest['kind']
  /** The product asked about, for `similar`. */
  readonly productId: string | null
  /** The cart asked about, for `cart`. */
  readonly cart: readonly string[] | undefined
  readonly userId: string | null
  readonly sessionId: string | null
  readonly scenario: string
  readonly request: RecommendationRequest
  readonly startedMs: number
  readonly past: ShopperPast
  readonly eligibility: Eligibility
  readonly treatment: Treatment | null
  readonly rules: RulesNow | null
}

/** Rules of an answer, and the moment at which they were in force. */
export interface RulesNow {
  readonly compiled: CompiledRules
  readonly atMs: number
}

/** What an answer is shown as where nothing else was asked for. */
export const SCENARIOS: Readonly<Record<Asked['kind'], string>> = {
  user: 'for_you',
  session: 'session',
  similar: 'similar',
  cart: 'cart',
}

/** The request as its passport keeps it. */
export function requestOf({ kind, productId, cart, request }: Asked): PassportSource['request'] {
  return {
    kind,
    product_id: productId,
    ...(cart === undefined ? {} : { cart }),
    limit: request.limit,
    category: request.category ?? null,
    min_price: request.minPrice ?? null,
    max_price: request.maxPrice ?? null,
    exclude: request.exclude ?? [],
    ...(request.shownCount ? { shown_count: request.shownCount } : {}),
  }
}
