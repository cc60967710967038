import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Treatment } from '../experiments/treatment.ts'
import type { CompiledRules } from '../rules/compiled-rules.ts'
import type { ServingModel } from '../training/serving-model.ts'
import type { Arranged } from './arrange/arranged.ts'
import type { LevelFault } from './fault-reporter.ts'
import type { LiveReads } from './levels.ts'
import type { Passport } from './passport/passport.ts'
import type { Fallback } from './recommendation.ts'
import type { RememberedProducts } from './remembered-products.ts'

/** What a recommender stands on, and whom it tells. */
export interface RecommenderOptions {
  /** Each gives the part as it is now, or null when it is gone. */
  readonly catalogue: () => Catalogue | null
  readonly live: () => LiveReads | null
  readonly model: () => ServingModel | null
  /** Rules in force in a scenario at a moment (UTC ms); null when there are none. */
  readonly rules?: (scenario: string, atMs: number) => CompiledRules | null
  /** True for a name whose owner was erased, while the model may hold what they did: it is not used for them. */
  readonly isWithheld?: (name: string) => boolean
  /** What the experiments that hold for a shopper (by user id, else session id) and a scenario ask for; null: nothing. */
  readonly treatment?: (unit: string, scenario: string) => Treatment | null
  /** Told of each answer; must not wait. */
  readonly onAnswer?: (passport: Passport, made: MadeAnswer) => void
  /** Told of parts that throw, at most once per level and second. */
  readonly onFault?: (fault: LevelFault) => void
  readonly remembered?: RememberedProducts
  readonly now: () => number
  /** A new UUIDv7. */
  readonly uuid: () => string
  /** For `took_ms`. */
  readonly clockMs?: () => number
}

/** What an answer was made of, beside its passport. */
export interface MadeAnswer {
  readonly arranged: Arranged | null
  /** Answers the same request by another model. */
  readonly again: AnswerAgain
}

/** The ranking that a model would have given where another answered. Counts as no answer. */
export type AnswerAgain = (model: ServingModel) => Promise<OtherRanking>

export interface OtherRanking {
  readonly products: readonly string[]
  readonly fallback: Fallback
  readonly took_ms: number
}
