import type { ServingForm } from '../training/serving-report.ts'

/** A value with its 95 % interval; null where it has none. */
export interface MeasuredValue {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
}

/** How far a model is from another in the metric of choice, over the same shoppers. */
export interface ModelDifference {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
  /** Of the two-sided paired t-test, corrected for the number of models by Holm. */
  readonly p: number
}

/** One model of an evaluation. */
export interface EvaluatedModel {
  /** `popular`, `walk`, `blend`, …; `production` is the one in service, fitted on the same training data. */
  readonly model: string
  readonly options: Readonly<Record<string, unknown>>
  readonly metrics: Readonly<Record<string, MeasuredValue>>
  /** Null for the best itself. */
  readonly against_best: ModelDifference | null
  /** Null for the one in production, and where there is none. */
  readonly against_production: ModelDifference | null
  readonly fit_cpu_seconds: number
}

/** What `arus evaluate` found: plain data, printed as JSON and written to `gold.evaluations`. */
export interface EvaluationReport {
  readonly run_id: string
  /** UTC ms. */
  readonly evaluated_at: number
  /** `silver.interactions`, or the names of files. */
  readonly data: string
  /** Versions of the tables, or the first digits of the files' SHA-256. */
  readonly data_version: string
  /** `time`, `leave-last-out`, `given`, `last-day`. */
  readonly split: string
  /** Length of the lists. */
  readonly k: number
  /** By which models are compared: `ndcg@20`, of sessions `mrr@20`. */
  readonly metric: string
  /** Test shoppers, or test sessions. */
  readonly user_count: number
  /** The best first. */
  readonly models: readonly EvaluatedModel[]
  readonly left_out: readonly LeftOut[]
  /** Forms in which what the search found could be served, the cheapest first; empty where nothing was weighed. */
  readonly serving: readonly ServingForm[]
  readonly chosen: string
  /** Why, for a person. */
  readonly reason: string
  readonly cpu_seconds: number
  readonly peak_memory_bytes: number
}

/** A model that was asked for and not measured. */
export interface LeftOut {
  readonly model: string
  readonly why: string
}
