import type { Retrieved } from './blend.ts'
import type { ModelReference, RecommendationAnswer } from './recommendation.ts'
import type { ShopperPast } from './shopper-past.ts'

/** Events and candidates kept in a passport. */
const EVENT_LIMIT = 50
const CANDIDATE_LIMIT = 50

/** An event an answer rested on, by its place in the log. */
interface PassportEvent {
  readonly partition: number
  readonly offset: number
  readonly product_id: string
  readonly action: string
}

/** Where an answer came from. Stored in the log topic `recommendations`, as JSON. */
export interface Passport {
  readonly recommendation_id: string
  readonly user_id: string | null
  readonly session_id: string | null
  readonly scenario: string
  /** UTC milliseconds. */
  readonly generated_at: number
  readonly fallback: string | null
  /** Newest first, at most 50. */
  readonly events: readonly PassportEvent[]
  readonly model: ModelReference | null
  /** Per retriever its share of the blend and what it brought, best first, at most 50 in all. */
  readonly retrievers: readonly {
    readonly retriever: string
    readonly weight: number
    readonly candidates: readonly { readonly product_id: string; readonly score: number }[]
  }[]
  readonly filters: readonly string[]
  readonly result: readonly {
    readonly product_id: string
    readonly rank: number
    readonly score: number
    readonly reason: string
  }[]
}

/** What the passport of an answer is made from. */
export interface PassportSource {
  readonly answer: RecommendationAnswer
  readonly generatedAtMs: number
  readonly sessionId: string | null
  readonly past: ShopperPast
  readonly retrieved: readonly Retrieved[]
  readonly filters: readonly string[]
}

/** The compact record of where an answer came from. */
export function passportOf(source: PassportSource): Passport {
  const { answer, past, retrieved } = source
  const candidatesEach = Math.floor(CANDIDATE_LIMIT / Math.max(1, retrieved.length))
  return {
    recommendation_id: answer.recommendation_id,
    user_id: answer.user_id,
    session_id: source.sessionId,
    scenario: answer.scenario,
    generated_at: source.generatedAtMs,
    fallback: answer.fallback,
    events: past.events.slice(0, EVENT_LIMIT).map(({ partition, offset, product_id, action }) => ({
      partition,
      offset,
      product_id,
      action,
    })),
    model: answer.model,
    retrievers: retrieved.map(({ retriever, weight, candidates }) => ({
      retriever,
      weight,
      candidates: candidates
        .slice(0, candidatesEach)
        .map(({ product_id, score }) => ({ product_id, score: rounded(score) })),
    })),
    filters: source.filters,
    result: answer.recommendations.map(({ product_id, rank, score, reason }) => ({
      product_id,
      rank,
      score,
      reason: reason.kind,
    })),
  }
}

/** Six decimals, or six significant digits of what is smaller than a thousandth: enough to compare, short in the log. */
export function rounded(score: number): number {
  if (score >= 0.001) return Math.round(score * 1e6) / 1e6
  return score === 0 ? 0 : Number(score.toPrecision(6))
}
