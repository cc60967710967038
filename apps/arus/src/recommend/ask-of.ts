import type { Passport, PassportRequest } from './passport/passport.ts'
import type { RecommendationAnswer } from './recommendation.ts'
import type { Recommender } from './recommender.ts'

/** What is asked of a recommender, and for whom, as data. */
export interface Asking extends Pick<Passport, 'user_id' | 'session_id'> {
  readonly request: PassportRequest
  /** What is usual for the kind of request when not given. */
  readonly scenario: string | undefined
}

/** Asks it. */
export function askOf(
  recommender: Recommender,
  { request, scenario, user_id, session_id }: Asking,
): Promise<RecommendationAnswer> {
  const wishes = {
    limit: request.limit,
    scenario,
    category: request.category ?? undefined,
    minPrice: request.min_price ?? undefined,
    maxPrice: request.max_price ?? undefined,
    exclude: request.exclude ?? [],
    shownCount: request.shown_count,
  }
  if (request.kind === 'similar') return recommender.similar(request.product_id ?? '', wishes)
  if (request.kind === 'cart') return recommender.forCart(request.cart ?? [], wishes)
  if (request.kind === 'session') return recommender.forSession(session_id ?? '', wishes)
  return recommender.forUser(user_id ?? '', { ...wishes, sessionId: session_id ?? undefined })
}
