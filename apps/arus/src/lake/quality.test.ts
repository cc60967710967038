import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { checkQuality } from './check-quality.ts'
import { compact } from './maintain.ts'
import { checkName } from './quality-check.ts'
import { failingChecks, forgetOldResults, lastQualityResults } from './quality-results.ts'
import { failingRowsSql } from './quality-sql.ts'
import { refine } from './refine.ts'
import { TABLES } from './tables/index.ts'
import { openTestLake, type TestLake, testEvent } from './test-lake.ts'

/** Real logs and tables, synced: slow where the disk is. */
vi.setConfig({ testTimeout: 120_000 })

const NOW = Date.UTC(2026, 2, 11)
let shop: TestLake
beforeEach(async () => {
  shop = await openTestLake()
})
afterEach(() => shop.close())

const failing = async () =>
  (await lastQualityResults(shop.lake))
    .filter(({ failingRows }) => failingRows > 0)
    .map(({ table, check, severity, failingRows, sampleKeys }) => [
      table,
      check,
      severity,
      failingRows,
      sampleKeys,
    ])

test('what fails is found, with keys to find it by, and is kept all the same', async () => {
  await shop.send([
    testEvent({ event_id: 'good' }),
    testEvent({ event_id: 'cheap', price: -1 }),
    testEvent({ event_id: 'gift', action: 'purchase' }),
  ])
  await shop.flush()
  await refine(shop.lake)
  await checkQuality(shop.lake, { now: () => NOW })
  const negative = 'range(price, 0 to 1000000000000)'
  const unknown = (column: string) =>
    [`reference(${column} → silver.products.product_id)`, 'warning'] as const
  expect(await failing()).toEqual([
    ['bronze.events', negative, 'error', 1, [{ log_partition: expect.any(Number), log_offset: 1 }]],
    ['gold.product_stats', ...unknown('product_id'), 1, [{ product_id: 'P1' }]],
    ['silver.events', 'a purchase has a price', 'warning', 1, [{ event_id: 'gift' }]],
    ['silver.events', negative, 'error', 1, [{ event_id: 'cheap' }]],
    ['silver.events', ...unknown('product_id'), 3, [{ product_id: 'P1' }]],
    ['silver.interactions', ...unknown('product_id'), 3, [{ product_id: 'P1' }]],
  ])
  expect(await shop.rows('SELECT count(*) FROM {silver.events}')).toEqual([[3]])
  expect([...(await failingChecks(shop.lake))]).toEqual([
    ['bronze.events', 1],
    ['silver.events', 1],
  ])
})

describe('a look at quality', () => {
  test('checks what was written since the last one, once', async () => {
    await shop.send([testEvent({ event_id: 'a' })])
    await shop.flush()
    const first = await checkQuality(shop.lake)
    expect(first.map(({ table, checkedRows }) => [table, checkedRows])).toContainEqual(['bronze.events', 1])
    expect(await checkQuality(shop.lake)).toEqual([])
    await shop.send([testEvent({ event_id: 'b' }), testEvent({ event_id: 'c' })])
    await shop.flush()
    const next = await checkQuality(shop.lake)
    const found = Object.fromEntries(next.map(({ check, checkedRows }) => [check, checkedRows]))
    expect(found).toMatchObject({ 'not_null(event_id)': 2, 'unique(log_partition, log_offset)': 3 })
  })

  test('finds a repeated key in the partition, though its rows came at different times', async () => {
    await shop.send([testEvent({ event_id: 'a' })])
    await shop.flush()
    await refine(shop.lake)
    await checkQuality(shop.lake)
    const { sql } = await shop.lake.relation('silver.events')
    await shop.lake.write('silver.events', `SELECT * FROM ${sql}`, { mode: 'append' })
    await checkQuality(shop.lake)
    expect(await failing()).toContainEqual([
      'silver.events',
      'unique(event_id)',
      'error',
      1,
      [{ event_id: 'a' }],
    ])
  })

  test('results are kept 30 days, and put together like other tables', async () => {
    await shop.send([testEvent({ event_id: 'a' })])
    await shop.flush()
    await checkQuality(shop.lake, { now: () => NOW - 31 * 86_400_000 })
    await shop.send([testEvent({ event_id: 'b' })])
    await shop.flush()
    await checkQuality(shop.lake, { now: () => NOW })
    await shop.send([testEvent({ event_id: 'c' })])
    await shop.flush()
    await checkQuality(shop.lake, { now: () => NOW + 1 })
    await forgetOldResults(shop.lake, NOW)
    expect(await compact(shop.lake, 'gold.quality_results', 1)).toBe(1)
    expect(
      await shop.rows('SELECT DISTINCT epoch_ms(checked_at) FROM {gold.quality_results} ORDER BY 1'),
    ).toEqual([[NOW], [NOW + 1]])
    expect(await checkQuality(shop.lake)).toEqual([])
  })
})

test('every check of every table runs on its table, and no two of a table share a name', async () => {
  const connection = await shop.duckdb.connect()
  try {
    for (const definition of TABLES) {
      expect(new Set(definition.checks.map(checkName)).size).toBe(definition.checks.length)
      for (const check of definition.checks) {
        const rows = (await shop.lake.relation(definition.name)).sql
        const other = check.kind === 'reference' ? (await shop.lake.relation(check.to)).sql : ''
        const reader = await connection.runAndReadAll(failingRowsSql(definition, check, { rows, other }))
        expect(reader.getRows(), `${definition.name} ${checkName(check)}`).toEqual([])
      }
    }
  } finally {
    connection.closeSync()
  }
})
