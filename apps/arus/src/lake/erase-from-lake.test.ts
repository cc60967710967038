import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkQuality } from './check-quality.ts'
import { eraseFromLake, findInLake } from './erase-from-lake.ts'
import { expectAsAnew } from './expect-as-anew.ts'
import { refine } from './refine.ts'
import { openTestLake, TEST_TOPICS, type TestLake, testEvent } from './test-lake.ts'

const HOUR = 3_600_000
const DAY = Date.UTC(2026, 2, 10)

let shop: TestLake
beforeEach(async () => {
  shop = await openTestLake()
  await shop.send(
    Array.from({ length: 60 }, (_, i) =>
      testEvent({
        event_id: `e${i}`,
        user_id: `u${i % 6}`,
        action: i % 4 === 0 ? 'purchase' : 'view',
        ts: DAY + i * HOUR,
      }),
    ),
  )
  await shop.flush()
  await refine(shop.lake)
  await checkQuality(shop.lake)
})
afterEach(() => shop.close())

const erase = async (id: string) => {
  const parts = { ...shop, topics: TEST_TOPICS }
  const { names } = await findInLake(parts, id)
  await eraseFromLake(parts, names)
}

test('silver and gold go on by what changes, from the one version that is left', async () => {
  await erase('u1')
  await shop.send([testEvent({ event_id: 'late', user_id: 'u2', ts: DAY - HOUR })])
  await shop.flush()
  const { tables } = await refine(shop.lake, { anewAboveShare: Number.POSITIVE_INFINITY })
  expect(tables.map(({ kind }) => kind)).not.toContain('anew')
  expect(await shop.rows('SELECT count(*)::INTEGER FROM {silver.events}')).toEqual([[51]])
  await expectAsAnew(shop)
  await checkQuality(shop.lake)
  await erase('u2')
  expect(await shop.rows('SELECT DISTINCT shopper FROM {gold.user_stats} ORDER BY 1')).toEqual(
    ['u0', 'u3', 'u4', 'u5'].map((shopper) => [shopper]),
  )
})

test('samples of failed checks are let go, what was counted stays', async () => {
  const counted = () =>
    shop.rows('SELECT table_name, check_name, failing_rows::INTEGER FROM {gold.quality_results} ORDER BY ALL')
  const before = await counted()
  const samples = `SELECT count(*)::INTEGER FROM {gold.quality_results} WHERE sample_keys <> '[]' AND table_name = 'silver.events'`
  expect(await shop.rows(samples)).not.toEqual([[0]])
  await erase('u1')
  expect(await shop.rows(samples)).toEqual([[0]])
  expect(await counted()).toEqual(before)
})
