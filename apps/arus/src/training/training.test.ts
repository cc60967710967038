import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSparkCompute, type SparkCompute } from '../compute/spark-compute.ts'
import type { ArusDatabase } from '../database/database.ts'
import { openSqliteDatabase } from '../database/sqlite-database.ts'
import { type DuckDb, openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { openRegistry } from '../registry/lake-registry.ts'
import type { Registry } from '../registry/registry.ts'
import { loadServingModel } from './load-serving-model.ts'
import { HISTORY_START_MS, writeHistory } from './test-history.ts'
import { type TrainingReport, train } from './train.ts'

const DAY = 86_400_000

let folder = ''
let duckdb: DuckDb
let lake: Lake
let database: ArusDatabase
let registry: Registry
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-training-'))
  duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
  lake = openLake({ root: join(folder, 'lake'), duckdb })
  database = await openSqliteDatabase({ file: join(folder, 'arus.sqlite') })
  registry = openRegistry({ database, folder: join(folder, 'models') })
})
afterEach(async () => {
  await database.destroy()
  await lake.close()
  await duckdb.close()
  rmSync(folder, { recursive: true })
})

const shop = (seed: number, share: number) => writeHistory(lake, seed, share)

const run = (force = false, trialsMax?: number, spark: SparkCompute | null = null): Promise<TrainingReport> =>
  train({
    trialsMax,
    spark,
    lake,
    registry,
    now: () => HISTORY_START_MS + 20 * DAY,
    onProgress: () => {},
    signal: new AbortController().signal,
    force,
  })

test('the first version that beats the baselines is promoted, with metrics and the versions it read', async () => {
  await shop(1, 0.9)
  const { version, wasPromoted, metrics } = await run()
  expect(wasPromoted).toBe(true)
  expect(['popular', 'trending']).not.toContain(version.kind)
  expect(metrics[version.kind]!['ndcg@20']).toBeGreaterThan(metrics.popular!['ndcg@20']!)
  expect(version).toMatchObject({ user_count: 120, product_count: 80, interaction_count: 3_000 })
  expect(version.table_versions).toEqual({
    'silver.interactions': 1,
    'silver.products': 1,
    'silver.events': 0,
  })
  expect(version.session).toBeNull()
  expect((await registry.production())?.version).toBe(version.version)
  expect((await lake.describe()).find(({ name }) => name === 'gold.model_metrics')?.rowCount).toBe(
    Object.values(metrics).flatMap((values) => Object.keys(values)).length,
  )
})

test('what it learnt serves: products of the shopper’s group, with the reason', async () => {
  await shop(1, 1)
  const { version } = await run()
  const model = loadServingModel(version, await registry.artefact(version.version))
  const found = model.recommend(
    [
      { product_id: 'P1', weight: 1 },
      { product_id: 'unknown', weight: 9 },
    ],
    5,
  )
  expect(found).toHaveLength(5)
  expect(found.every(({ product_id }) => Number(product_id.slice(1)) % 4 === 1 && product_id !== 'P1')).toBe(
    true,
  )
  expect(found.every(({ because_of }) => because_of === 'P1')).toBe(true)
  const ids = found.map(({ product_id }) => product_id)
  const others = model.recommend([{ product_id: 'P1', weight: 1 }], 3, [new Set(ids), new Set(['unknown'])])
  expect(others).toHaveLength(3)
  expect(others.filter(({ product_id }) => ids.includes(product_id))).toEqual([])
  expect(model.recommend([{ product_id: 'P1', weight: 1 }], 5)).toEqual(found)
  expect(['P1', 'unknown'].map((id) => model.knows(id))).toEqual([true, false])
  expect(model.similar('P2', 4).every(({ product_id }) => Number(product_id.slice(1)) % 4 === 2)).toBe(true)
  expect(model.similar('unknown', 4)).toEqual([])
  expect(model.recommend([], 5)).toEqual([])
  expect(model.popular(3)).toHaveLength(3)
})

test('a model that is not better stays a candidate, unless it is forced', async () => {
  await shop(1, 1)
  const first = await run()
  const again = await run()
  expect(again.wasPromoted).toBe(false)
  expect(again.version.reason).toMatch(/not better than the model in place/)
  expect((await registry.production())?.version).toBe(first.version.version)
  expect((await run(true)).wasPromoted).toBe(true)
})

test('the same options on newer data are promoted: the model in place has not seen them', async () => {
  await shop(1, 1)
  const first = await run()
  await shop(1, 1)
  const { wasPromoted, version } = await run()
  expect(version.params).toEqual(first.version.params)
  expect(wasPromoted).toBe(true)
  expect(version.reason).toMatch(/as version 1 fitted on the same data; its data are newer/)
})

test('options in place that the search does not reach are kept, and learn from newer data', async () => {
  await shop(1, 0.7)
  await alike()
  const first = await run()
  expect(first.version.kind).not.toBe('walk')
  await shop(1, 0.7)
  await alike()
  // Only what is popular is tried.
  const { wasPromoted, version } = await run(false, 1)
  expect(version.kind).toBe(first.version.kind)
  expect(version.params).toEqual(first.version.params)
  expect(wasPromoted).toBe(true)
  expect(version.reason).toMatch(/its data are newer/)
})

/** Products of which the catalogue says nothing, so that only what shoppers did tells them apart. */
async function alike(): Promise<void> {
  await lake.write(
    'silver.products',
    `SELECT 'P' || i AS product_id, 'thing' AS title, NULL AS image_url, NULL AS product_url, 4.0 AS stars, 10 AS reviews, 5 AS price,
       NULL AS list_price, NULL AS discount, 1 AS category_id, 'things' AS category, false AS is_best_seller, 0 AS bought_in_last_month
     FROM range(80) t(i)`,
    { mode: 'overwrite' },
  )
}

test('better options are promoted though the model in place was fitted on what is the test data now', async () => {
  await shop(1, 0.9)
  const poor = { kind: 'popular', params: { choice: { kind: 'popular', options: {} }, walk: {} } }
  const { version } = await run()
  const { status: _, promoted_at: __, size_bytes: ___, outdated: ____, version: _____, ...rest } = version
  const registered = await registry.register({ ...rest, ...poor }, [await registry.artefact(version.version)])
  await registry.promote(registered.version, 'by hand')
  const again = await run()
  expect(again.wasPromoted).toBe(true)
  expect(again.version.reason).toMatch(/\+0\.\d+ \(95 % .*\) against version 2, fitted on the same data/)
})

describe('a Spark that does not answer', () => {
  const spark = openSparkCompute({ remote: 'sc://127.0.0.1:1', kafkaServers: null, lakeAddress: null })

  test('is left out, which the version says', async () => {
    await shop(1, 0.9)
    const { version, wasPromoted, metrics } = await run(false, undefined, spark)
    expect(wasPromoted).toBe(true)
    expect(metrics).not.toHaveProperty('spark-als')
    expect(version.reason).toMatch(/; spark-als was left out: Spark at sc:\/\/127\.0\.0\.1:1: .*SPARK_REMOTE/)
    expect(version.params).not.toHaveProperty('spark_als')
  })

  test('keeps the model in place that it fitted; without a Spark that cannot be fitted again', async () => {
    await shop(1, 0.9)
    const { version: first } = await run(false, 1)
    const { status: _, promoted_at: __, size_bytes: ___, outdated: ____, version: _____, ...rest } = first
    const fittedThere = {
      kind: 'spark-als',
      params: { ...first.params, spark_als: { rank: 16, regParam: 0.1, alpha: 10, maxIter: 5, seed: 1 } },
    }
    const registered = await registry.register({ ...rest, ...fittedThere }, [
      await registry.artefact(first.version),
    ])
    await registry.promote(registered.version, 'by hand')
    const away = await run(false, undefined, spark)
    expect(away.wasPromoted).toBe(false)
    expect(away.version.reason).toMatch(/version 2, in place, is to be compared when Spark answers again/)
    const without = await run(false, 1)
    expect(without.wasPromoted).toBe(true)
    expect(without.version.reason).toMatch(/version 2, in place, cannot be fitted again/)
  })
})

test('without events it says what to do', async () => {
  await expect(run()).rejects.toMatchObject({
    code: 'TRAINING_NO_DATA',
    message: expect.stringContaining('arus generate'),
  })
})

test('a damaged artefact is refused', async () => {
  await shop(1, 1)
  const { version } = await run()
  expect(() => loadServingModel(version, Uint8Array.of(1, 2, 3))).toThrow(
    expect.objectContaining({ code: 'MODEL_FILE_CORRUPT' }),
  )
})
