/** Silver and gold by a real Spark: the same rows as by DuckDB, and a lake that either may go on with. */
import { rmSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { openSparkCompute, type SparkCompute } from '../../src/compute/spark-compute.ts'
import type { RefineOptions } from '../../src/lake/derived-table.ts'
import { expectAsAnew } from '../../src/lake/expect-as-anew.ts'
import { compact } from '../../src/lake/maintain.ts'
import { refine } from '../../src/lake/refine.ts'
import { removeShopper } from '../../src/lake/remove-shopper.ts'
import { sparkComputation } from '../../src/lake/spark/spark-computation.ts'
import { openTestLake, type TestLake, testEvent } from '../../src/lake/test-lake.ts'

/** A round is some fifty jobs of a Spark that compiles nothing. */
vi.setConfig({ testTimeout: 900_000 })

const HOUR = 3_600_000
const DAY = Date.UTC(2026, 2, 10)

let spark: SparkCompute
let shop: TestLake
beforeAll(() => {
  spark = openSparkCompute({ remote: process.env.SPARK_REMOTE ?? '', kafkaServers: null, lakeAddress: null })
})
afterAll(() => spark.close())
beforeEach(async () => {
  shop = await openTestLake()
})
afterEach(() => shop.close())

const onSpark = (more: RefineOptions = {}) =>
  refine(shop.lake, {
    ...more,
    compute: (lake) =>
      sparkComputation({
        lake,
        spark,
        addressOf: (name) => `${shop.lakeRoot}/${name.replace('.', '/')}`,
      }),
  })
const BY_CHANGES = { anewAboveShare: Number.POSITIVE_INFINITY }

/** Compared with what DuckDB makes of a copy of bronze, all columns of all rows. */
async function expectAsOnDuckDb(): Promise<void> {
  await expectAsAnew(shop)
  rmSync(`${shop.folder}/anew`, { recursive: true })
}

async function take(...events: readonly Parameters<typeof testEvent>[0][]): Promise<void> {
  await shop.send(events.map(testEvent))
  await shop.flush()
}

const products = (...categories: readonly string[]) =>
  shop.lake.write(
    'silver.products',
    `SELECT product_id, 'Title of ' || product_id AS title, NULL AS image_url, NULL AS product_url, NULL AS stars, NULL AS reviews,
      NULL AS price, NULL AS list_price, NULL AS discount, NULL AS category_id, category, false AS is_best_seller, NULL AS bought_in_last_month
    FROM (VALUES ${categories.map((category, i) => `('P${i}', '${category}')`).join(', ')}) v(product_id, category)`,
    { mode: 'overwrite' },
  )

test('anew, then by DuckDB, then by what changed: late, repeated and removed events, a new catalogue, files put together', async () => {
  await products('Mugs', 'Lamps', 'Mugs')
  expect((await onSpark()).tables[0]).toMatchObject({ rowCount: 0 })
  await take(
    { event_id: 'a', ts: DAY + 23 * HOUR },
    { event_id: 'b', action: 'purchase', price: 19.995, quantity: 3, order_id: 'o1', ts: DAY + 24 * HOUR },
    { event_id: 'a', ts: DAY + 30 * HOUR, received_at: DAY + 1 },
    { event_id: 'c', user_id: null, session_id: 'S', action: 'search', product_id: null, query: 'kopi "ö"' },
    {
      event_id: 'd',
      user_id: 'budi',
      action: 'purchase',
      price: 0.1,
      quantity: 0.333_333_3,
      product_id: 'P2',
    },
    { event_id: 'e', user_id: 'budi', action: 'purchase', price: 1e12, quantity: 1e9, product_id: 'P9' },
    {
      event_id: 'f',
      user_id: 'tri',
      action: 'recommendation_clicked',
      properties: { deep: [1, { x: null }] },
    },
  )
  const { tables } = await onSpark()
  expect(tables.map(({ kind }) => kind)).toEqual(tables.map(() => 'anew'))
  expect(tables[0]).toMatchObject({ table: 'silver.events', rowCount: 6 })
  await expectAsOnDuckDb()
  expect((await onSpark()).tables.every(({ kind }) => kind === 'current')).toBe(true)

  await take({ event_id: 'g', user_id: 'tri', action: 'click', product_id: 'P1', ts: DAY + HOUR })
  const byDuckDb = await refine(shop.lake, BY_CHANGES)
  expect(byDuckDb.tables.map(({ kind }) => kind)).not.toContain('anew')
  await expectAsOnDuckDb()

  // An event that joins two sessions over midnight, a first copy that came second, an erased shopper, other categories.
  await take(
    { event_id: 'h', ts: DAY + 23.5 * HOUR },
    { event_id: 'd', user_id: 'budi', ts: DAY + 2 * HOUR, received_at: DAY - 5, product_id: 'P0' },
    { event_id: 'i', user_id: 'eka', action: 'view', ts: DAY + 50 * HOUR },
  )
  await removeShopper(shop.lake, ['tri'])
  await products('Toys', 'Lamps', 'Mugs', 'Beds')
  await compact(shop.lake, 'bronze.events', 1)
  expect((await onSpark(BY_CHANGES)).tables.map(({ kind }) => kind)).not.toContain('anew')
  await expectAsOnDuckDb()
})
