import type { Interactions } from '@arus/recommenders'

/** The name of Spark's ALS among the algorithms that are compared. */
export const SPARK_ALS = 'spark-als'

/** Parameters of MLlib's ALS, by its names for them: plain JSON. */
export interface SparkAlsOptions {
  /** Numbers of a vector. */
  readonly rank: number
  /** λ, which MLlib multiplies by the number of ratings of a user or an item. */
  readonly regParam: number
  /** α: confidence is 1 + α r. */
  readonly alpha: number
  readonly maxIter: number
  readonly seed: number
}

/**
 * With MLlib's own ten the whole Spark of our tests (4.2.1, no optimising compiler, stacks of Java's default size) died of a StackOverflowError in
 * its tasks, with five and eight it did not. Probably since a Connect client cannot set the folder of checkpoints that cuts ALS's lineage.
 */
const ITERATIONS = 5

/** What a search begins with, and what is taken where there is none. */
export const SPARK_ALS_DEFAULTS: SparkAlsOptions = {
  rank: 64,
  regParam: 0.03,
  alpha: 10,
  maxIter: ITERATIONS,
  seed: 1,
}

/** As our own search has it: numbers of all item vectors at most, and vectors no longer than data tell. */
const VECTOR_FLOATS_MAX = 32_000_000
const RANK_MIN = 16
const ROWS_PER_RANK = 8

/** The same with vectors that are not longer than the data are worth, and that memory holds. */
export function fitting(
  options: SparkAlsOptions,
  { userCount, itemCount }: Pick<Interactions, 'userCount' | 'itemCount'>,
): SparkAlsOptions {
  const most = Math.min(
    VECTOR_FLOATS_MAX / Math.max(1, itemCount),
    Math.min(userCount, itemCount) / ROWS_PER_RANK,
  )
  return { ...options, rank: Math.min(options.rank, Math.max(RANK_MIN, Math.floor(most))) }
}
