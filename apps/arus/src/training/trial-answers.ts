import type { SessionPredictions } from '@arus/recommenders'
import { eligibilityOf } from '../recommend/eligibility.ts'
import { blend } from '../recommend/retrieve/blend.ts'
import type { Retrievers } from '../recommend/retrieve/retrieve.ts'
import type { ShopperPast } from '../recommend/retrieve/shopper-past.ts'
import type { ServingModel } from './serving-model.ts'

/** Answers of one contender to the same questions as the others'. */
export interface TrialAnswers extends SessionPredictions {
  /** `hit_rate@k` and `mrr@k`: means over predictions. */
  readonly metrics: Readonly<Record<string, number>>
}

/** Popular products looked at, as `fillerCount` has it for lists of 20. */
const FILLER_COUNT = 100

interface Question {
  readonly past: ShopperPast
  readonly k: number
}

/** 1 / the rank at which the contender, answering as a server would, has the product; 0 where it is not among the `k`. */
export function reciprocalRankOf(
  wanted: string,
  retrievers: Retrievers,
  contender: ServingModel,
  question: Question,
): number {
  const at = answerOf(retrievers, contender, question).indexOf(wanted)
  return at < 0 ? 0 : 1 / (at + 1)
}

/** Ids, best first; a short list is filled with what is popular, as the ladder does. */
function answerOf(retrievers: Retrievers, model: ServingModel, { past, k }: Question): string[] {
  const eligibility = eligibilityOf(past, {})
  const ids = blend(retrievers.byModel(model, past, k, eligibility))
    .slice(0, k)
    .map(({ product_id }) => product_id)
  if (ids.length === k) return ids
  const popular = model.popular(FILLER_COUNT).map(({ product_id }) => product_id)
  return [...new Set([...ids, ...popular.filter((id) => eligibility.isAllowed(id))])].slice(0, k)
}

/** `sessions` says which of them belong together. */
export function answersOf(
  reciprocalRanks: readonly number[],
  sessions: readonly number[],
  k: number,
): TrialAnswers {
  const mean = (sum: number) => (sessions.length === 0 ? 0 : sum / sessions.length)
  return {
    reciprocalRanks: Float64Array.from(reciprocalRanks),
    sessions: Uint32Array.from(sessions),
    metrics: {
      [`hit_rate@${k}`]: mean(reciprocalRanks.filter((rank) => rank > 0).length),
      [`mrr@${k}`]: mean(reciprocalRanks.reduce((sum, rank) => sum + rank, 0)),
    },
  }
}
