import type { Registry } from '../registry/registry.ts'
import { type FitOptions, fitsOf } from '../training/model-fits.ts'
import type { TrainingData } from '../training/read-training-data.ts'
import { PRODUCTION } from './conclude.ts'
import type { ModelToMeasure } from './measured-model.ts'

/**
 * The model in service, to be fitted with its options on the same training data as the others: the stored one has seen part of the test
 * data. Or why that cannot be.
 */
export async function productionModel(
  registry: Pick<Registry, 'production'>,
  data: Pick<TrainingData, 'features'>,
  signal: AbortSignal,
): Promise<ModelToMeasure | { readonly why: string }> {
  const version = await registry.production()
  if (version === null) return { why: 'no model is in production' }
  const { choice, walk } = version.params as Partial<FitOptions>
  const fit = choice && walk && fitsOf(data, { choice, walk }, signal).get(version.kind)
  if (fit === undefined)
    return { why: `version ${version.version}, in production, cannot be fitted again: train a new one` }
  const options = version.kind === choice?.kind ? choice : version.kind === 'walk' ? walk : {}
  return { name: PRODUCTION, options: { version: version.version, kind: version.kind, ...options }, fit }
}
