import type { Candidate } from '../../training/serving-model.ts'
import type { ReasonKind } from '../recommendation.ts'

/** What one retriever brought, best first. */
export interface Retrieved {
  readonly retriever: string
  /** Share of the blend: the best candidate of the retriever adds this much. */
  readonly weight: number
  readonly reason: ReasonKind
  readonly candidates: readonly Candidate[]
}

/** A product with its score in the blend and the reason of the retriever that counted most. */
export interface Blended {
  readonly product_id: string
  readonly score: number
  readonly reason: ReasonKind
  readonly because_of: string | null
  readonly retriever: string
  /** What the retriever named above added. */
  readonly largest: number
}

type Growing = { -readonly [field in keyof Blended]: Blended[field] }

/**
 * Ranks the products of all retrievers: each retriever's scores are divided by its best one, multiplied by its
 * weight and summed by product (CombSUM of Fox and Shaw 1994, with max normalisation). Where a retriever's best
 * score is not positive, rank stands in for score: 1 / (1 + position).
 */
export function blend(retrieved: readonly Retrieved[]): Blended[] {
  const products = new Map<string, Growing>()
  for (const { retriever, weight, reason, candidates } of retrieved) {
    const best = candidates[0]?.score ?? 0
    for (let position = 0; position < candidates.length; position++) {
      const candidate = candidates[position]!
      const share = weight * (best > 0 ? Math.max(0, candidate.score) / best : 1 / (1 + position))
      const known = products.get(candidate.product_id)
      if (known === undefined) {
        products.set(candidate.product_id, {
          product_id: candidate.product_id,
          score: share,
          reason,
          because_of: candidate.because_of,
          retriever,
          largest: share,
        })
      } else {
        known.score += share
        if (share > known.largest) {
          known.largest = share
          known.reason = reason
          known.because_of = candidate.because_of
          known.retriever = retriever
        }
      }
    }
  }
  return [...products.values()].sort((a, b) => b.score - a.score || (a.product_id < b.product_id ? -1 : 1))
}
