import { type Evaluation, evaluate, type Interactions, type Model, type Split } from '@arus/recommenders'
import { K, ndcgOf } from './ndcg.ts'
import { fitting, SPARK_ALS_DEFAULTS, type SparkAlsOptions } from './spark-als-options.ts'

/** Tried one after the other, each with the best of the others so far: six fits at most. */
const VALUES = { alpha: [3, 40], regParam: [0.01, 0.1], rank: [128] } as const

/** Validation users at most. */
const USERS_MAX = 2_000
/** Null where it could not be fitted. */
export type FitSparkAls = (interactions: Interactions, options: SparkAlsOptions) => Promise<Model | null>

/**
 * The options that rank best on the test part of `validation`, by nDCG; those it begins with where nobody is there to be asked, null when a
 * fit was not possible. One option is changed at a time.
 */
export async function searchSparkAls(
  fit: FitSparkAls,
  validation: Split,
  signal: AbortSignal,
): Promise<SparkAlsOptions | null> {
  const tryOut = async (options: SparkAlsOptions): Promise<Evaluation | null> => {
    const model = await fit(validation.train, options)
    return model === null ? null : evaluate(model, validation, K, { signal, userLimit: USERS_MAX })
  }
  let best = fitting(SPARK_ALS_DEFAULTS, validation.train)
  let most = await tryOut(best)
  // By nobody nothing can be chosen.
  if (most?.users.length === 0) return best
  for (const [name, values] of Object.entries(VALUES)) {
    for (const value of values) {
      if (most === null) return null
      const options = fitting({ ...best, [name]: value }, validation.train)
      if (name === 'rank' && options.rank <= best.rank) continue
      const evaluation = await tryOut(options)
      if (evaluation === null) return null
      if (ndcgOf(evaluation) > ndcgOf(most)) [best, most] = [options, evaluation]
    }
  }
  return best
}
