/** Models that MLlib fits on a real Spark, through the same gate, registry and serving as ours. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Interactions, type Model, timeSplit } from '@arus/recommenders'
import { connect } from '@arus/spark-connect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSparkCompute, type SparkCompute } from '../../src/compute/spark-compute.ts'
import type { ArusDatabase } from '../../src/database/database.ts'
import { openSqliteDatabase } from '../../src/database/sqlite-database.ts'
import { type DuckDb, openDuckDb } from '../../src/lake/duckdb.ts'
import { type Lake, openLake } from '../../src/lake/lake.ts'
import type { OnProgress } from '../../src/progress.ts'
import { openRegistry } from '../../src/registry/lake-registry.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { evaluateIncumbent } from '../../src/training/gate.ts'
import { loadServingModel } from '../../src/training/load-serving-model.ts'
import { readTrainingData } from '../../src/training/read-training-data.ts'
import { fitSparkAls, type SparkRatings, sendRatings } from '../../src/training/spark-als.ts'
import { SparkTrainer } from '../../src/training/spark-trainer.ts'
import { train } from '../../src/training/train.ts'

let spark: SparkCompute
beforeAll(() => {
  spark = openSparkCompute({ remote: process.env.SPARK_REMOTE!, kafkaServers: null, lakeAddress: null })
})
afterAll(() => spark.close())

const OPTIONS = { rank: 2, regParam: 0.05, alpha: 5, maxIter: 5, seed: 3 }
const SIZE = 10

/** Two tastes of ten shoppers and ten products each; everybody lacks one product of their own, and bought the one beside it. */
function twoTastes(): Interactions {
  const pairs = Array.from({ length: 2 * SIZE * SIZE }, (_, n) => {
    const [user, place] = [Math.floor(n / SIZE), n % SIZE]
    return { user, item: Math.floor(user / SIZE) * SIZE + place, place }
  }).filter(({ user, place }) => place !== user % SIZE)
  return {
    userCount: 2 * SIZE,
    // The last is one that nobody touched.
    itemCount: 2 * SIZE + 1,
    users: Uint32Array.from(pairs, ({ user }) => user),
    items: Uint32Array.from(pairs, ({ item }) => item),
    weights: Float32Array.from(pairs, ({ user, place }) => (place === (user + 1) % SIZE ? 6 : 1)),
    timesMs: new Float64Array(pairs.length),
  }
}

describe('ALS of MLlib', () => {
  const data = twoTastes()
  let ratings: SparkRatings
  let model: Model
  beforeAll(async () => {
    ratings = await sendRatings(await spark.session(), data)
    model = await fitSparkAls(await spark.session(), ratings, OPTIONS)
  })

  const historyOf = (user: number) => {
    const own = [...data.users.keys()].filter((n) => data.users[n] === user)
    return {
      items: Uint32Array.from(own, (n) => data.items[n]!),
      weights: Float32Array.from(own, (n) => data.weights[n]!),
    }
  }

  test('finds two clear tastes', () => {
    for (let user = 0; user < 2 * SIZE; user++) {
      const { items } = model.recommend(historyOf(user), { k: 3 })
      expect(items[0], `user ${user}`).toBe(Math.floor(user / SIZE) * SIZE + (user % SIZE))
    }
    const group = (item: number) => Math.floor(item / SIZE)
    expect([...model.similar(0, { k: SIZE - 1 }).items].map(group)).toEqual(Array(SIZE - 1).fill(0))
    expect(model.similar(2 * SIZE, { k: 3 }).items).toHaveLength(0)
  })

  test('a shopper folded in from what they did is the vector that Spark has for them', async () => {
    const session = await spark.session()
    const { rank, ...others } = OPTIONS
    await using fitted = await session.ml.fit(
      'org.apache.spark.ml.recommendation.ALS',
      {
        ...{ ...others, rank, implicitPrefs: true, numUserBlocks: 1, numItemBlocks: 1 },
        ...{ userCol: 'user', itemCol: 'item', ratingCol: 'rating' },
      },
      ratings.frame,
    )
    const vectorsOf = async (frame: string) =>
      new Map(
        (await fitted.frame(frame).collect()).map(({ id, features }) => [id as number, features as number[]]),
      )
    const [users, items] = [await vectorsOf('userFactors'), await vectorsOf('itemFactors')]
    expect([users.size, items.size]).toEqual([2 * SIZE, 2 * SIZE])
    for (const [user, vector] of users) {
      const { items: found, scores } = model.recommend(historyOf(user), { k: 2 * SIZE, filter: () => true })
      expect(found.length).toBeGreaterThanOrEqual(SIZE)
      for (const [n, item] of found.entries()) {
        const theirs = items.get(item)!.reduce((sum, value, at) => sum + value * vector[at]!, 0)
        expect(Math.abs(scores[n]! - theirs), `user ${user}, item ${item}`).toBeLessThan(1e-4)
      }
    }
  })

  test('nothing of a cancelled fit runs on, and its model is not left there', async () => {
    const stop = new AbortController()
    const onProgress: OnProgress = ({ done }) => {
      if (done > 0) stop.abort(new Error('enough'))
    }
    const trainer = new SparkTrainer(spark, { onProgress, signal: stop.signal })
    await expect(trainer.fit(data, { ...OPTIONS, maxIter: 100 })).rejects.toThrow('enough')
    expect(trainer.problem).toBeNull()
    const session = await spark.session()
    expect(await session.interruptAll()).toEqual([])
    expect(await (await session.sql('SELECT 1 AS one')).collect()).toEqual([{ one: 1 }])
  })
})

/**
 * Thirty groups of nine products in three parts. Some shoppers look at the first two parts, others at the last two, and some at the
 * first alone: what these want next, the last part, was never seen together with what they have, so that only a model that
 * generalises finds it. Of the days that options are chosen on nobody has a past.
 */
const HISTORY = `
  SELECT 'u' || g || '-' || u AS shopper, 'P' || (9 * g + 3 * part + p) AS product_id, 'view' AS action, 1 AS weight,
    TIMESTAMPTZ '2026-03-01 00:00:00+00' + to_days(day) AS ts, DATE '2026-03-01' AS event_date
  FROM range(30) g(g), range(3) p(p),
    (VALUES (0, 0, 1), (0, 1, 1), (1, 1, 2), (1, 2, 2), (2, 0, 1), (3, 0, 1), (2, 2, 3), (3, 2, 3)) v(u, part, day)`
const PRODUCTS = `
  SELECT 'P' || i AS product_id, 'thing' AS title, NULL AS image_url, NULL AS product_url, 4.0 AS stars, 10 AS reviews, 5 AS price,
    NULL AS list_price, NULL AS discount, 1 AS category_id, 'things' AS category, false AS is_best_seller, 0 AS bought_in_last_month
  FROM range(270) t(i)`

describe('a training with Spark', () => {
  let folder: string
  let duckdb: DuckDb
  let lake: Lake
  let database: ArusDatabase
  let registry: Registry
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'arus-train-on-spark-'))
    duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
    lake = openLake({ root: join(folder, 'lake'), duckdb })
    database = await openSqliteDatabase({ file: join(folder, 'arus.sqlite') })
    registry = openRegistry({ database, folder: join(folder, 'models') })
    await lake.write('silver.products', PRODUCTS, { mode: 'overwrite' })
    await lake.write('silver.interactions', HISTORY, { mode: 'overwrite' })
  })
  afterAll(async () => {
    await database.destroy()
    await lake.close()
    await duckdb.close()
    rmSync(folder, { recursive: true })
  })

  const { signal } = new AbortController()
  const run = (compute: SparkCompute, onProgress: OnProgress) =>
    train({ lake, registry, spark: compute, now: () => Date.UTC(2026, 2, 20), onProgress, signal })

  test('puts the model into service that Spark fitted, and it answers without Spark', async () => {
    const steps = new Set<string>()
    const { version, wasPromoted, metrics } = await run(spark, ({ step }) => void steps.add(step))
    // How far it is Spark tells every two seconds: a quick machine is done before.
    expect(steps).toContain('Fitting on Spark')
    expect(version.kind, version.reason).toBe('spark-als')
    expect(wasPromoted).toBe(true)
    expect(version.reason).toMatch(/^spark-als has ndcg@20 0\.\d+, above the baselines/)
    expect(metrics['spark-als']!['ndcg@20']).toBeGreaterThan(0.2)
    expect(metrics.walk!['ndcg@20']).toBe(0)
    expect(version.params.spark_als).toMatchObject({ rank: 16, seed: 1 })
    const served = loadServingModel(version, await registry.artefact(version.version))
    const found = served.recommend(
      ['P90', 'P91', 'P92'].map((product_id) => ({ product_id, weight: 1 })),
      6,
    )
    expect(new Set(found.map(({ product_id }) => product_id))).toEqual(
      new Set(['P93', 'P94', 'P95', 'P96', 'P97', 'P98']),
    )
    expect(found.map(({ retriever }) => retriever)).toEqual(Array(6).fill('als'))
    expect(served.popular(3)).toHaveLength(3)
  })

  test('a version that Spark fitted is fitted there again on other data, to the same figures', async () => {
    const data = await readTrainingData(lake)
    const split = timeSplit(data.interactions, 0.2)
    const trainer = new SparkTrainer(spark, { onProgress: () => {}, signal })
    const incumbent = await evaluateIncumbent(registry, data, { split, spark: trainer, signal })
    const { metrics } = (await registry.production())!
    expect(incumbent).toMatchObject({ kind: 'spark-als', isAway: false })
    expect(incumbent?.refit?.evaluation.metrics['ndcg@20']).toBeCloseTo(metrics['spark-als']!['ndcg@20']!, 3)
  })

  test('goes on without Spark when that goes away midway, and does not replace what it cannot compare', async () => {
    const real = openSparkCompute({
      remote: process.env.SPARK_REMOTE!,
      kafkaServers: null,
      lakeAddress: null,
    })
    let askedCount = 0
    const leaving: SparkCompute = {
      ...real,
      async session() {
        const session = await real.session()
        askedCount += 1
        // One fit was possible.
        if (askedCount === 2) await endOnServer(session.id)
        return session
      },
    }
    const { version, wasPromoted, metrics } = await run(leaving, () => {})
    await leaving.close()
    expect(askedCount).toBe(2)
    expect(metrics).not.toHaveProperty('spark-als')
    expect(wasPromoted).toBe(false)
    expect(version.reason).toMatch(/version 1, in place, is to be compared when Spark answers again/)
    expect(version.reason).toMatch(/; spark-als was left out: ./)
    expect((await registry.production())?.version).toBe(1)
  })
})

/** As a server that was restarted: it does not know the session any more. */
async function endOnServer(sessionId: string): Promise<void> {
  const session = await connect(`${process.env.SPARK_REMOTE};session_id=${sessionId}`)
  await session.stop()
}
