import {
  type Choice,
  fitChoice,
  fitContent,
  fitPopular,
  fitTrending,
  fitWalk,
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

/** The algorithms that are trained for a shop in this process. `content` learns from the catalogue alone. */
export function fitsOf(
  data: Pick<TrainingData, 'features'>,
  { walk, choice }: FitOptions,
  signal: AbortSignal,
): Fits {
  return new Map<string, (interactions: Interactions) => Model>([
    ['popular', (interactions) => fitPopular(interactions)],
    ['trending', (interactions) => fitTrending(interactions, {}, { signal })],
    ['content', () => fitContent(data.features, {}, { signal })],
    ['walk', (interactions) => fitWalk(interactions, walk, { signal })],
    [choice.kind, (interactions) => fitChoice(choice, interactions, { signal })],
  ])
}
