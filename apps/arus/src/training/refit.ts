import type { Interactions, Model } from '@arus/recommenders'
import type { ModelVersion } from '../registry/registry.ts'
import { type FitOptions, fitsOf } from './model-fits.ts'
import type { TrainingData } from './read-training-data.ts'

/** A version's algorithm with its options, to be fitted on other data. */
export interface Refit {
  readonly options: Readonly<Record<string, unknown>>
  readonly fit: (data: Interactions) => Model
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
  const fit = choice && walk && fitsOf(data, { choice, walk }, signal).get(kind)
  if (fit === undefined) return null
  const options = kind === choice?.kind ? choice : kind === 'walk' ? walk : {}
  return { options: { ...options }, fit }
}
