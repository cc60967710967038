import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BronzeTables, bronzeTables } from './bronze-tables.ts'
import { startBronzeCopier } from './lake-writer.ts'
import { openTestLake, TEST_TOPICS, type TestLake, testEvent } from './test-lake.ts'

let shop: TestLake
beforeEach(async () => {
  shop = await openTestLake({ partitionCount: 1 })
})
afterEach(() => shop.close())

/** A copier whose first append of a batch waits. */
function heldCopier() {
  const bronze = bronzeTables(shop.lake)
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const held: BronzeTables = {
    snapshot: bronze.snapshot,
    append: async (...args) => {
      reached.resolve()
      await released.promise
      return bronze.append(...args)
    },
  }
  const options = { log: shop.log, bronze: held, topics: TEST_TOPICS, intervalMs: 3_600_000 }
  const done = startBronzeCopier(options).stop()
  return { reached: reached.promise, release: released.resolve, done }
}

test('two processes copy at once, one further than the other: every entry is in bronze once, in whichever order they commit', async () => {
  await shop.send([1, 2, 3].map((n) => testEvent({ event_id: `e${n}` })))
  await shop.log.append(TEST_TOPICS.events, [{ key: null, value: Buffer.from('no event'), timestampMs: 1 }])
  const orphan = heldCopier()
  await orphan.reached
  await shop.send([4, 5].map((n) => testEvent({ event_id: `e${n}` })))
  const successor = heldCopier()
  await successor.reached
  orphan.release()
  await orphan.done
  successor.release()
  await successor.done
  await shop.flush()
  expect(await shop.rows('SELECT event_id, log_offset FROM {bronze.events} ORDER BY log_offset')).toEqual(
    [1, 2, 3, 4, 5].map((n) => [`e${n}`, n < 4 ? n - 1 : n]),
  )
  expect(await shop.rows('SELECT raw FROM {bronze.rejected_events}')).toEqual([['no event']])
})

test('values that no column holds are left out, and stop nothing', async () => {
  const odd = [
    testEvent({ event_id: 'far', position: 3e9, received_at: 1e300 }),
    testEvent({ event_id: 'near', position: 3 }),
  ]
  const passports = [{ recommendation_id: 'r', model: { name: 'm', version: 1.5 }, generated_at: -1e300 }]
  const entries = (bodies: readonly object[]) =>
    bodies.map((body) => ({ key: null, value: Buffer.from(JSON.stringify(body)), timestampMs: 7 }))
  await shop.log.append(TEST_TOPICS.events, entries(odd))
  await shop.log.append(TEST_TOPICS.recommendations, entries(passports))
  await shop.flush()
  const rows = await shop.rows(
    'SELECT event_id, position, epoch_ms(received_at)::INTEGER FROM {bronze.events} ORDER BY log_offset LIMIT 1',
  )
  expect(rows).toEqual([['far', null, 7]])
  const [answer] = await shop.rows(
    'SELECT model_version, epoch_ms(generated_at)::INTEGER FROM {bronze.recommendations}',
  )
  expect(answer).toEqual([null, 7])
  expect(await shop.rows('SELECT position FROM {bronze.events} ORDER BY log_offset')).toEqual([[null], [3]])
})
