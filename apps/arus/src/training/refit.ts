import type { Interactions, Model } from '@arus/recommenders'
import type { ModelVersion } from '../registry/registry.ts'
import { type FitOptions, fitsOf } from './model-fits.ts'
import type { TrainingData } from './read-training-data.ts'
import { SPARK_ALS, type SparkAlsOptions } from './spark-als-options.ts'
import type { SparkTrainer } from './spark-trainer.ts'

/** A version's algorithm with its options, to be fitted on other data. */
export interface Refit {
  readonly options: Readonly<Record<string, unknown>>
  readonly fitOptions: FitOptions
  readonly fit: (data: Interactions) => Model
}

/** A `Refit` whose fit takes its time. */
export interface SparkRefit extends Omit<Refit, 'fit'> {
  readonly fit: (data: Interactions) => Promise<Model | null>
}

/**
 * How a version is fitted again: its stored model has seen what it would be tested on, so that it is compared by its options, on the
 * training part. Null where the version does not tell them.
 */
export function refitOf(
  { kind, params }: Pick<ModelVersion, 'kind' | 'params'>,
  data: Pick<TrainingData, 'features'>,
  signal: AbortSignal,
): Refit | null {
  const { choice, walk } = params as Partial<FitOptions>
  if (choice === undefined || walk === undefined) return null
  const fitOptions = { choice, walk }
  const fit = fitsOf(data, fitOptions, signal).get(kind)
  if (fit === undefined) return null
  const options = kind === choice.kind ? choice : kind === 'walk' ? walk : {}
  return { options: { ...options }, fitOptions, fit }
}

/** The same of a version that was fitted on Spark; its fit gives null where Spark is away. Null for other versions, and without Spark. */
export function refitOnSpark(
  { kind, params }: Pick<ModelVersion, 'kind' | 'params'>,
  spark: SparkTrainer | null,
): SparkRefit | null {
  const { choice, walk, spark_als: sparkAls } = params as Partial<FitOptions & { spark_als: SparkAlsOptions }>
  if (kind !== SPARK_ALS || spark === null || !choice || !walk || !sparkAls) return null
  return {
    options: { ...sparkAls },
    fitOptions: { choice, walk, sparkAls },
    fit: (data) => spark.fit(data, sparkAls),
  }
}
