import { join } from 'node:path'
import { DeltaTable, LocalStorage } from '@arus/delta'
import { DuckDbParquetEngine } from '@arus/delta/duckdb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLake } from './lake.ts'
import { deltaSchema } from './table-definition.ts'
import { definitionOf } from './tables/index.ts'
import { openTestLake, TEST_TOPICS, type TestLake } from './test-lake.ts'

const DAY = Date.UTC(2026, 2, 10)
const ADDED = ['session_id', 'took_ms', 'experiments', 'shadows']

let shop: TestLake
beforeEach(async () => {
  shop = await openTestLake()
})
afterEach(() => shop.close())

test('a table that an earlier version made gets the new columns, whoever opens it first, and keeps its rows', async () => {
  const connection = await shop.duckdb.connect()
  const definition = definitionOf('bronze.recommendations')
  const schema = deltaSchema(definition)
  const engine = new DuckDbParquetEngine(connection)
  const before = await DeltaTable.create(
    { storage: new LocalStorage(join(shop.lakeRoot, 'bronze', 'recommendations')), engine },
    {
      schema: { ...schema, fields: schema.fields.filter(({ name }) => !ADDED.includes(name)) },
      partitionColumns: definition.partitionColumns,
    },
  )
  await before.append(`SELECT 'old' AS recommendation_id, 'ani' AS user_id, 'home' AS scenario, NULL::VARCHAR AS fallback,
    NULL::VARCHAR AS model_name, NULL::INTEGER AS model_version, make_timestamptz(${DAY} * 1000) AS generated_at, '[]' AS products,
    '{}' AS passport, 0 AS log_partition, 0::BIGINT AS log_offset, DATE '2026-03-10' AS generated_date`)
  const others = [0, 1].map(() => openLake({ root: shop.lakeRoot, duckdb: shop.duckdb }))
  await Promise.all(others.map((lake) => lake.table('bronze.recommendations')))
  const passport = {
    recommendation_id: 'new',
    generated_at: DAY,
    took_ms: 2,
    experiments: [{ id: 'exp_1', variant: 'b' }],
  }
  await shop.log.append(TEST_TOPICS.recommendations, [
    { key: 'ani', value: Buffer.from(JSON.stringify(passport)), timestampMs: DAY },
  ])
  await shop.flush()
  const { sql } = await shop.lake.relation('bronze.recommendations')
  const found = await connection.runAndReadAll(
    `SELECT recommendation_id, took_ms, experiments FROM ${sql} ORDER BY recommendation_id DESC`,
  )
  expect(found.getRows()).toEqual([
    ['old', null, null],
    ['new', 2, '[{"id":"exp_1","variant":"b"}]'],
  ])
  for (const lake of others) await lake.close()
  connection.closeSync()
})
