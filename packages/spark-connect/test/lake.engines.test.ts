import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, type SparkSession } from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'spark-connect-'))
let session: SparkSession
beforeAll(async () => {
  session = await connect(process.env.SPARK_REMOTE!)
})
afterAll(async () => {
  await session.stop()
  rmSync(folder, { recursive: true })
})

const path = (name: string) => join(folder, name)

describe('Delta', () => {
  test('made by a query, merged into, read as of an older version', async () => {
    const table = `delta.\`${path('stock')}\``
    await session.sql(`CREATE TABLE ${table} USING delta AS SELECT id, id * 10 AS quantity FROM range(5)`)
    const changes = await session.createDataFrame(
      [
        { id: 4, quantity: -1 },
        { id: 5, quantity: 50 },
      ],
      'id BIGINT, quantity BIGINT',
    )
    await changes.createOrReplaceTempView('changes')
    const merged = await session.sql(
      `MERGE INTO ${table} t USING changes c ON t.id = c.id
       WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
    )
    expect(await merged.collect()).toMatchObject([{ num_updated_rows: 1n, num_inserted_rows: 1n }])
    const now = await session.table(table).filter('id >= 4').orderBy('id').collect()
    expect(now).toEqual([
      { id: 4n, quantity: -1n },
      { id: 5n, quantity: 50n },
    ])
    const before = session.read.format('delta').option('versionAsOf', 0).load(path('stock'))
    expect(await before.filter('id >= 4').collect()).toEqual([{ id: 4n, quantity: 40n }])
  })

  test('written with modes and partitions', async () => {
    const rows = session.range(0, 4).withColumns({ part: 'id % 2' })
    const writer = rows.write.format('delta').partitionBy('part')
    await writer.save(path('parts'))
    await expect(writer.save(path('parts'))).rejects.toMatchObject({ code: 'SPARK_ANALYSIS' })
    await writer.mode('append').save(path('parts'))
    expect(await session.read.format('delta').load(path('parts')).count()).toBe(8)
    const evens = rows
      .filter('part = 0')
      .write.format('delta')
      .mode('overwrite')
      .option('replaceWhere', 'part = 0')
    await evens.save(path('parts'))
    await rows.write.insertInto(`delta.\`${path('parts')}\``)
    const read = session.read.format('delta').load(path('parts'))
    expect((await read.schema()).fields.map((field) => field.name)).toEqual(['id', 'part'])
    expect(await read.count()).toBe(10)
  })
})

describe('streams', () => {
  test('rows of a table go into another exactly once, however often the query is started', async () => {
    await session.range(0, 100).write.format('delta').save(path('source'))
    const run = async () => {
      const query = await session.readStream
        .format('delta')
        .load(path('source'))
        .selectExpr('id', 'id * 2 AS twice')
        .writeStream.format('delta')
        .option('checkpointLocation', path('checkpoint'))
        .trigger({ availableNow: true })
        .start(path('copy'))
      expect(await query.awaitTermination()).toBe(true)
      expect(await query.exception()).toBeNull()
      const progress = await query.recentProgress()
      expect(progress.every(({ id, sources }) => id === query.id && sources.length === 1)).toBe(true)
      return { id: query.id, rows: progress.reduce((sum, { sources }) => sum + sources[0]!.numInputRows, 0) }
    }
    const first = await run()
    expect(first.rows).toBe(100)
    expect(await run()).toEqual({ id: first.id, rows: 0 })
    await session.range(100, 103).write.format('delta').mode('append').save(path('source'))
    expect(await run()).toEqual({ id: first.id, rows: 3 })
    const copy = session.read.format('delta').load(path('copy'))
    const [sums] = await copy
      .groupBy()
      .agg('count(1) AS n', 'count(DISTINCT id) AS ids', 'sum(twice) AS twice')
      .collect()
    expect(sums).toEqual({ n: 103n, ids: 103n, twice: 10_506n })
  })

  test('one that runs on is found, asked, waited for and stopped', async () => {
    const query = await session.readStream
      .format('rate')
      .option('rowsPerSecond', 50)
      .load()
      .writeStream.format('memory')
      .queryName('ticks')
      .option('checkpointLocation', path('ticks'))
      .trigger({ processingTime: '200 milliseconds' })
      .start()
    expect(query.name).toBe('ticks')
    expect(await query.isActive()).toBe(true)
    expect((await session.streams.active()).map(({ id }) => id)).toContain(query.id)
    expect((await session.streams.get(query.id))?.runId).toBe(query.runId)
    await expect
      .poll(async () => (await query.lastProgress())?.batchId ?? 0, { timeout: 30_000 })
      .toBeGreaterThan(0)
    const progress = (await query.lastProgress())!
    expect(progress.sources[0]).toMatchObject({ numInputRows: expect.any(Number) })
    expect(progress.durationMs).toHaveProperty('triggerExecution')
    expect((await query.status()).message).not.toBe('')
    expect(await query.awaitTermination({ timeoutMs: 50 })).toBe(false)
    await query.stop()
    expect(await query.awaitTermination()).toBe(true)
    expect(await query.isActive()).toBe(false)
    expect(await session.streams.get(query.id)).toBeNull()
  })

  test('one that fails says with what', async () => {
    const query = await session.readStream
      .format('rate')
      .option('rowsPerSecond', 100)
      .load()
      .selectExpr("raise_error('no such product') AS failed")
      .writeStream.format('noop')
      .option('checkpointLocation', path('failing'))
      .start()
    await expect(query.awaitTermination()).rejects.toMatchObject({ code: 'SPARK_FAILED' })
    const exception = await query.exception()
    expect(exception?.message).toContain('no such product')
    expect(exception?.errorClass).toBeTruthy()
  })
})

describe('MLlib', () => {
  test('what goes wrong while a model is in use is told, not that its session is gone too', async () => {
    const other = await connect(process.env.SPARK_REMOTE!)
    const ratings = [{ user: 1, item: 1, rating: 1 }]
    const dataset = await other.createDataFrame(ratings, 'user INT, item INT, rating FLOAT')
    const params = { rank: 1, maxIter: 1, seed: 1, numUserBlocks: 1, numItemBlocks: 1 }
    const use = async () => {
      await using model = await other.ml.fit('org.apache.spark.ml.recommendation.ALS', params, dataset)
      await other.stop()
      throw new Error(`with ${typeof model.uid}`)
    }
    await expect(use()).rejects.toThrow('with string')
  })

  test('ALS is trained, its factors fetched, used, saved and loaded', async () => {
    const ratings = Array.from({ length: 120 }, (_, n) => ({
      user: n % 12,
      item: (n * 7) % 10,
      rating: 1 + (n % 3),
    }))
    const dataset = await session.createDataFrame(ratings, 'user INT, item INT, rating FLOAT')
    const model = await session.ml.fit(
      'org.apache.spark.ml.recommendation.ALS',
      {
        rank: 4,
        maxIter: 2,
        regParam: 0.1,
        implicitPrefs: true,
        seed: 7,
        numUserBlocks: 1,
        numItemBlocks: 1,
        userCol: 'user',
        itemCol: 'item',
        ratingCol: 'rating',
      },
      dataset,
    )
    const factors = await model.frame('userFactors').orderBy('id').collect()
    expect(factors.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, id) => id))
    expect(factors[0]).toMatchObject({ features: Array(4).fill(expect.any(Number)) })
    expect(await model.attribute('rank')).toBe(4)
    const [top] = await model.frame('recommendForAllUsers', 3).filter('user = 0').collect()
    expect(top).toMatchObject({
      user: 0,
      recommendations: Array(3).fill({ item: expect.any(Number), rating: expect.any(Number) }),
    })
    expect(await model.transform(dataset).limit(1).collect()).toMatchObject([
      { prediction: expect.any(Number) },
    ])
    await model.save(path('als'), { overwrite: true })
    await model.release()
    await expect(model.frame('itemFactors').count()).rejects.toMatchObject({
      errorClass: 'CONNECT_ML.CACHE_INVALID',
    })
    await using loaded = await session.ml.load('org.apache.spark.ml.recommendation.ALSModel', path('als'))
    expect(await loaded.frame('userFactors').orderBy('id').collect()).toEqual(factors)
  })
})
