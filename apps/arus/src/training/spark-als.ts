import { alsModelOf, confidencesOf, type Interactions, type Model } from '@arus/recommenders'
import {
  batchOfColumns,
  type DataFrame,
  type ExecuteOptions,
  type MlModel,
  type SparkSession,
} from '@arus/spark-connect'
import { ArusError } from '../errors.ts'
import type { SparkAlsOptions } from './spark-als-options.ts'

const ESTIMATOR = 'org.apache.spark.ml.recommendation.ALS'
/** Of a frame: Spark sends a frame to its workers in a message for each core, of at most `spark.rpc.message.maxSize`. */
const PAIRS_PER_FRAME = 1_000_000
/** The frames are in the memory of Spark's driver; how much a pair takes there was not measured. */
const PAIRS_MAX = 20_000_000
/** Of users and of items: so many tasks work at a time. */
const PAIRS_PER_BLOCK = 100_000
const BLOCKS_MAX = 64

/** What users did, as it lies with a session of Spark: sent once, for any number of fits. */
export interface SparkRatings {
  readonly interactions: Interactions
  /** Columns `user`, `item`, `rating`: a row for each pair, its confidence the rating. */
  readonly frame: DataFrame
  readonly blockCount: number
}

/** Sends interactions to Spark. Throws `SparkError`, and `ENGINE_UNUSABLE` for more than a driver should hold. */
export async function sendRatings(
  session: SparkSession,
  interactions: Interactions,
  options: { readonly signal?: AbortSignal } = {},
): Promise<SparkRatings> {
  const { rowCount, starts, columns, values } = confidencesOf(interactions)
  const pairCount = columns.length
  if (pairCount > PAIRS_MAX)
    throw new ArusError(
      'ENGINE_UNUSABLE',
      `${pairCount} pairs of shoppers and products are more than the ${PAIRS_MAX} that are sent to Spark`,
    )
  const users = new Int32Array(pairCount)
  for (let user = 0; user < rowCount; user++) users.fill(user, starts[user], starts[user + 1])
  const items = new Int32Array(columns.buffer, columns.byteOffset, pairCount)
  const frames: DataFrame[] = []
  for (let from = 0; from === 0 || from < pairCount; from += PAIRS_PER_FRAME) {
    const to = from + PAIRS_PER_FRAME
    const batch = batchOfColumns({
      user: users.subarray(from, to),
      item: items.subarray(from, to),
      rating: values.subarray(from, to),
    })
    frames.push(await session.createDataFrame(batch, undefined, options))
  }
  return {
    interactions,
    frame: frames.reduce((all, frame) => all.union(frame)),
    blockCount: Math.min(BLOCKS_MAX, Math.max(1, Math.ceil(pairCount / PAIRS_PER_BLOCK))),
  }
}

/**
 * Matrix factorisation for implicit feedback by Spark's MLlib: Hu, Koren, Volinsky, ICDM 2008, with regularisation scaled by the number
 * of ratings as in Zhou et al., AAIM 2008. Vectors of items come back as the model that our own iALS gives, so that users are
 * folded in by the objective that MLlib minimises. The same data, options and number of blocks give the same vectors.
 * Aborting ends the work on the server. Throws `SparkError`.
 */
export async function fitSparkAls(
  session: SparkSession,
  { interactions, frame, blockCount }: SparkRatings,
  options: SparkAlsOptions & ExecuteOptions,
): Promise<Model> {
  const { rank, regParam, alpha, maxIter, seed, ...execution } = options
  const params = {
    ...{ rank, regParam, alpha, maxIter, seed, implicitPrefs: true },
    ...{ userCol: 'user', itemCol: 'item', ratingCol: 'rating' },
    ...{ numUserBlocks: blockCount, numItemBlocks: blockCount },
  }
  await using fitted = await session.ml.fit(ESTIMATOR, params, frame, execution)
  const { itemCount } = interactions
  const signal = execution.signal === undefined ? {} : { signal: execution.signal }
  const values = await itemVectors(fitted, itemCount, { ...signal, rank })
  return alsModelOf(
    { itemCount, factorCount: rank, values },
    // Hu et al. divided by α; see `AlsParams`.
    { unobservedWeight: 1 / alpha, ridge: regParam / alpha, ridgeExponent: 1, objective: 'hu-2008' },
    interactions,
    signal,
  )
}

/** A row of `rank` numbers for each item; zeros for those that Spark has none for. */
async function itemVectors(
  fitted: MlModel,
  itemCount: number,
  { rank, ...execution }: ExecuteOptions & { readonly rank: number },
): Promise<Float32Array> {
  const vectors = new Float32Array(itemCount * rank)
  for await (const batch of fitted.frame('itemFactors').batches(execution)) {
    const ids = batch.getChild('id')!.data[0]!.values as Int32Array
    const features = batch.getChild('features')!.data[0]!
    const numbers = features.children[0]!.values as Float32Array
    for (let row = 0; row < batch.numRows; row++) {
      const [from, to] = [features.valueOffsets[row]!, features.valueOffsets[row + 1]!]
      vectors.set(numbers.subarray(from, to), ids[row]! * rank)
    }
  }
  return vectors
}
