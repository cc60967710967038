import {
  type Choice,
  fitContent,
  fitPopular,
  fitTrending,
  fitterOf,
  type Interactions,
  type Model,
  type WalkOptions,
} from '@arus/recommenders'
import type { TrainingData } from './read-training-data.ts'
import type { SparkAlsOptions } from './spark-als-options.ts'

/** What `tune` chose, and the best walk, whose neighbours answer what goes with a product. */
export interface FitOptions {
  readonly choice: Choice
  readonly walk: WalkOptions
  /** Of the model that Spark fits beside them. */
  readonly sparkAls?: SparkAlsOptions
}

/** How each algorithm is fitted, by its name. */
export type Fits = ReadonlyMap<string, (data: Interactions) => Model>

/**
 * The algorithms that are trained for a shop in this process. `content` learns from the catalogue alone. The walk is fitted once to the same
 * interactions, by itself and in a blend.
 */
export function fitsOf(
  data: Pick<TrainingData, 'features'>,
  { walk, choice }: FitOptions,
  signal: AbortSignal,
): Fits {
  const fitters = new WeakMap<Interactions, (wanted: Choice) => Model>()
  const fit = (wanted: Choice, interactions: Interactions): Model => {
    const fitter = fitters.get(interactions) ?? fitterOf(interactions, { signal })
    fitters.set(interactions, fitter)
    return fitter(wanted)
  }
  return new Map<string, (interactions: Interactions) => Model>([
    ['popular', (interactions) => fitPopular(interactions)],
    ['trending', (interactions) => fitTrending(interactions, {}, { signal })],
    ['content', () => fitContent(data.features, {}, { signal })],
    ['walk', (interactions) => fit({ kind: 'walk', options: walk }, interactions)],
    [choice.kind, (interactions) => fit(choice, interactions)],
  ])
}
