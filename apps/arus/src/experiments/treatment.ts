import type { ServingModel } from '../training/serving-model.ts'

/** That an answer belongs to an experiment; kept in its passport. */
export interface ExperimentMark {
  readonly id: string
  readonly variant: string
  /** Why production answered in the variant's place; null where the variant did. */
  readonly fell_back: string | null
}

/** What is done for a shopper because of the experiments they are in. */
export interface Treatment {
  readonly marks: readonly ExperimentMark[]
  /** The model that answers instead of the one in production; null: production. */
  readonly model: ServingModel | null
}

/** What a model that nobody was answered with would have answered; kept in the passport of the answer that was given. */
export interface ShadowAnswer {
  readonly id: string
  readonly variant: string
  readonly model_version: number
  /** In order of rank. */
  readonly products: readonly string[]
  readonly fallback: string | null
  /** Milliseconds; `took_ms` of the passport is the answer's own. */
  readonly took_ms: number
  /** Share of the products that both answers hold. */
  readonly overlap: number
  /** 1 for the same products in the same order, 0 for none in common. */
  readonly rank_agreement: number
}
