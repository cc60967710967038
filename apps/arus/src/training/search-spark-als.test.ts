import { fitPopular, fitWalk, type Model, timeSplit } from '@arus/recommenders'
import { expect, test } from 'vitest'
import { searchSparkAls } from './search-spark-als.ts'
import { fitting, SPARK_ALS_DEFAULTS, type SparkAlsOptions } from './spark-als-options.ts'

/** Shoppers of four tastes, so that a walk finds what popularity does not. */
const COUNT = 6_000
const users = Uint32Array.from({ length: COUNT }, (_, n) => n % 300)
const interactions = {
  userCount: 300,
  itemCount: 1_200,
  users,
  items: users.map((user, n) => (user % 4) * 300 + ((n * 37 + Math.floor(n / 300) * 11) % 40)),
  weights: new Float32Array(COUNT).fill(1),
  timesMs: Float64Array.from({ length: COUNT }, (_, n) => n),
}
const { signal } = new AbortController()

test('takes the options that rank best, one changed at a time, in six fits', async () => {
  const tried: SparkAlsOptions[] = []
  const found = await searchSparkAls(
    async (train, options): Promise<Model> => {
      tried.push(options)
      return options.alpha === 40 && options.regParam === 0.01 ? fitWalk(train) : fitPopular(train)
    },
    timeSplit(interactions),
    signal,
  )
  expect(found).toEqual(fitting(SPARK_ALS_DEFAULTS, interactions))
  expect(tried.map(({ rank, regParam, alpha }) => [rank, regParam, alpha])).toEqual([
    [37, 0.03, 10],
    [37, 0.03, 3],
    [37, 0.03, 40],
    [37, 0.01, 10],
    [37, 0.1, 10],
  ])
  const better = await searchSparkAls(
    async (train, { alpha }) => (alpha === 40 ? fitWalk(train) : fitPopular(train)),
    timeSplit(interactions),
    signal,
  )
  expect(better).toMatchObject({ alpha: 40, regParam: 0.03 })
})

test('tries long vectors only where there are data for them', async () => {
  expect(fitting(SPARK_ALS_DEFAULTS, { userCount: 20, itemCount: 30 }).rank).toBe(16)
  expect(fitting(SPARK_ALS_DEFAULTS, { userCount: 1e6, itemCount: 1e6 }).rank).toBe(32)
  const large = { ...interactions, userCount: 2_000, itemCount: 2_000 }
  const ranks: number[] = []
  await searchSparkAls(
    async (train, { rank }) => {
      ranks.push(rank)
      return fitPopular(train)
    },
    timeSplit(large),
    signal,
  )
  expect(ranks).toEqual([64, 64, 64, 64, 64, 128])
})

test('ends at the first fit that is not possible', async () => {
  let count = 0
  const found = await searchSparkAls(
    async (train) => (++count === 3 ? null : fitPopular(train)),
    timeSplit(interactions),
    signal,
  )
  expect([found, count]).toEqual([null, 3])
})

test('tries no further where nobody has both a past and something to predict', async () => {
  const split = timeSplit({
    ...interactions,
    users: Uint32Array.from({ length: COUNT }, (_, n) => Math.floor(n / 20)),
  })
  let count = 0
  const found = await searchSparkAls(
    async (train) => {
      count += 1
      return fitPopular(train)
    },
    split,
    signal,
  )
  expect([found, count]).toEqual([fitting(SPARK_ALS_DEFAULTS, interactions), 1])
})
