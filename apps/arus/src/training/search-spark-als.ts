import { evaluate, type Interactions, type Model, type Split } from '@arus/recommenders'
import { K, ndcgOf } from './ndcg.ts'
import { fitting, SPARK_ALS_DEFAULTS, type SparkAlsOptions } from './spark-als-options.ts'

/** Tried one after the other, each with the best of the others so far: six fits at most. */
const VALUES = { alpha: [3, 40], regParam: [0.01, 0.1], rank: [128] } as const

/** Validation users at most. */
const USERS_MAX = 2_000
/** Null where it could not be fitted. */
export type FitSparkAls = (interactions: Interactions, options: SparkAlsOptions) => Promise<Model | null>

/**
 * The options that rank best on the test part of `validation`, by nDCG; null when a fit was not possible. One option is
 * changed at a time.
 */
export async function searchSparkAls(
  fit: FitSparkAls,
  validation: Split,
  signal: AbortSignal,
): Promise<SparkAlsOptions | null> {
  const scoreOf = async (options: SparkAlsOptions): Promise<number | null> => {
    const model = await fit(validation.train, options)
    return model === null ? null : ndcgOf(evaluate(model, validation, K, { signal, userLimit: USERS_MAX }))
  }
  let best = fitting(SPARK_ALS_DEFAULTS, validation.train)
  let most = await scoreOf(best)
  for (const [name, values] of Object.entries(VALUES)) {
    for (const value of values) {
      const options = fitting({ ...best, [name]: value }, validation.train)
      if (most === null) return null
      if (name === 'rank' && options.rank <= best.rank) continue
      const score = await scoreOf(options)
      if (score === null) return null
      if (score > most) [best, most] = [options, score]
    }
  }
  return most === null ? null : best
}
