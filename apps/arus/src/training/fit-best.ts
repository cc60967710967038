import type { Evaluation, FileParts, Model } from '@arus/recommenders'
import { allowanceOf, bestOf, type Incumbent } from './gate.ts'
import type { FitOptions } from './model-fits.ts'
import { ndcgOf } from './ndcg.ts'
import type { TrainingData } from './read-training-data.ts'
import { SPARK_ALS } from './spark-als-options.ts'
import type { SparkTrainer } from './spark-trainer.ts'
import type { TaskRunner } from './training-thread.ts'

/** By algorithm. */
export interface Evaluated {
  readonly evaluations: Map<string, Evaluation>
  /** Fitted on the training part. */
  readonly models: Map<string, Model>
}

export interface FitBestOptions extends Evaluated {
  /** What the search found. */
  readonly found: FitOptions
  /** `fitAll` by it, begun when it was found. */
  readonly fitAsFound: () => Promise<ReadonlyMap<string, FileParts>>
  readonly incumbent: Incumbent | null
  /** See `allowanceOf`. */
  readonly servingTolerance: number
  readonly spark: SparkTrainer | null
  readonly tasks: TaskRunner
}

/** What goes into a version. */
export interface FittedBest {
  readonly chosen: string
  readonly fitted: FitOptions
  /** Files of models on all data: the chosen one, and the small ones. */
  readonly models: ReadonlyMap<string, FileParts>
}

/** Stored with every version: what answers when the chosen model has nothing, and for products. */
const SMALL_KINDS: readonly string[] = ['popular', 'trending', 'content', 'walk']

/** Fits what a version needs to all data. */
export function fitAll(
  { interactions, features }: Pick<TrainingData, 'interactions' | 'features'>,
  options: FitOptions,
  tasks: TaskRunner,
): () => Promise<ReadonlyMap<string, FileParts>> {
  const wanted = [...SMALL_KINDS, options.choice.kind]
  return tasks.begin({ kind: 'fit', interactions, features, options, wanted })
}

/**
 * Fits the best on everything. Where the search found nothing as good as the options in place, they are kept, and learn from newer data; what
 * they were evaluated to is then among `evaluations`. Should Spark go away now, the best of the others is taken.
 */
export async function fitBest(data: TrainingData, options: FitBestOptions): Promise<FittedBest> {
  const { found, fitAsFound, incumbent, servingTolerance, spark, tasks, evaluations, models: past } = options
  let chosen = bestOf(evaluations)
  let fitted = found
  const kept = 1 - allowanceOf(chosen, found, { incumbent, servingTolerance })
  if (incumbent?.refit && kept * ndcgOf(incumbent.refit.evaluation) > ndcgOf(evaluations.get(chosen)!)) {
    chosen = incumbent.kind
    fitted = incumbent.refit.options
    evaluations.set(chosen, incumbent.refit.evaluation)
    past.set(chosen, incumbent.refit.model)
  }
  const models = new Map<string, FileParts>()
  if (chosen === SPARK_ALS) {
    const model = fitted.sparkAls && (await spark?.fit(data.interactions, fitted.sparkAls))
    if (!model) {
      evaluations.delete(SPARK_ALS)
      past.delete(SPARK_ALS)
      return fitBest(data, { ...options, incumbent: incumbent?.kind === SPARK_ALS ? null : incumbent })
    }
    models.set(chosen, model.file())
  }
  const files = await (fitted === found ? fitAsFound : fitAll(data, fitted, tasks))()
  // What was tuned is large, and of use to nobody where another model answers.
  for (const [kind, file] of files) if (SMALL_KINDS.includes(kind) || kind === chosen) models.set(kind, file)
  return { chosen, fitted, models }
}
