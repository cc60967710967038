/** What is counted of each exposed shopper; defined in `docs/EXPERIMENTS.md`. */
export const METRICS = ['click_through', 'conversion', 'revenue', 'latency', 'fallback_rate'] as const
export type Metric = (typeof METRICS)[number]

/** Metrics that an experiment may be decided by: what shoppers do, not what the server does. */
export const PRIMARY_METRICS = ['click_through', 'conversion', 'revenue'] as const
export type PrimaryMetric = (typeof PRIMARY_METRICS)[number]

/** Of these, less is better. */
export const LESS_IS_BETTER: ReadonlySet<Metric> = new Set(['latency', 'fallback_rate'])

/** `ab`: shoppers are answered differently. `shadow`: nobody is; what a model would have answered is kept and compared. */
export const MODES = ['ab', 'shadow'] as const
export type Mode = (typeof MODES)[number]

/** What brings a shopper into the figures: that they were answered, or that they saw it (`recommendation_viewed`). */
export const EXPOSURES = ['answered', 'viewed'] as const
export type Exposure = (typeof EXPOSURES)[number]

export type ExperimentStatus = 'draft' | 'running' | 'stopped'

/** A way of answering. The first of an A/B test is the control that others are compared with. */
export interface Variant {
  readonly name: string
  /** Of the shoppers in the experiment, relative to the shares of the others. */
  readonly share: number
  /** Null: the version in production, whichever it is. */
  readonly model_version: number | null
}

/** A metric that may not get worse by more than what is tolerated. */
export interface Guardrail {
  readonly metric: Metric
  /** Relative to the control: 0.02 tolerates a loss of 2 %. Of `fallback_rate`: 2 more in 100 answers. */
  readonly max_loss: number
}

/** What is decided before an experiment begins, and not changed after. */
export interface ExperimentPlan {
  /** For people. */
  readonly name: string
  readonly mode: Mode
  /** Scenarios of answers it holds for; none means all. */
  readonly scenarios: readonly string[]
  /** Share of shoppers in it, 0 to 1; of answers where it is a shadow. */
  readonly traffic: number
  readonly variants: readonly Variant[]
  readonly primary_metric: PrimaryMetric
  readonly guardrails: readonly Guardrail[]
  /** Probability of a wrong verdict of difference that is accepted, over the whole time of watching. */
  readonly alpha: number
  /** The smallest difference worth having, relative to the control. */
  readonly minimum_effect: number
  readonly exposure: Exposure
  /** What a shopper does counts for so long after they were first exposed; only then the shopper counts. */
  readonly window_minutes: number
  /** About so many shoppers are expected: the test is sharpest there, and valid anywhere. */
  readonly planned_units: number
  /** Stops by itself when a variant is worse or breaks a guardrail. */
  readonly auto_stop: boolean
}

export const VERDICTS = ['undecided', 'better', 'worse', 'no_difference', 'invalid'] as const
export type VerdictKind = (typeof VERDICTS)[number]

/** What an experiment says, with why, for a person. */
export interface Verdict {
  readonly kind: VerdictKind
  /** The variant that is better; null for the other kinds. */
  readonly variant: string | null
  readonly reasons: readonly string[]
}

/** An experiment as it is stored. Times are UTC ms. */
export interface Experiment extends ExperimentPlan {
  readonly id: string
  readonly status: ExperimentStatus
  readonly created_at: number
  readonly started_at: number | null
  readonly stopped_at: number | null
  /** For a person; null until it was stopped. */
  readonly stop_reason: string | null
  /** What it said when it was stopped; null where that could not be had. */
  readonly verdict: Verdict | null
}

/** True when answers of this scenario belong to it. */
export function holdsFor({ scenarios }: Pick<ExperimentPlan, 'scenarios'>, scenario: string): boolean {
  return scenarios.length === 0 || scenarios.includes(scenario)
}
