import { join } from 'node:path'
import { openLmdbEventLog } from '@arus/event-log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rebuildLiveState } from '../live/live-processor.ts'
import { openTestState } from '../state/test-state.ts'
import { removalsOf } from './removals.ts'
import { removeShopper } from './remove-shopper.ts'
import { openTestLake, TEST_TOPICS, type TestLake, testEvent } from './test-lake.ts'

const NOON = Date.UTC(2026, 2, 10, 12)

let shop: TestLake
beforeEach(async () => {
  shop = await openTestLake()
})
afterEach(() => shop.close())

const send = (prefix: string, count: number) =>
  shop.send(
    Array.from({ length: count }, (_, i) =>
      testEvent({ event_id: `${prefix}${i}`, user_id: `u${i % 3}`, ts: NOON + i * 1_000 }),
    ),
  )

/** What live state counts when it is made from the log. */
async function rebuilt(): Promise<{ events: number; shoppers: number }> {
  const state = await openTestState(join(shop.folder, 'state'), { now: () => NOON })
  const { events_total, total_users } = await rebuildLiveState({
    log: shop.log,
    topic: TEST_TOPICS.events,
    rejectedTopic: TEST_TOPICS.rejected,
    state,
    now: () => NOON,
    idempotencyWindowMs: 3_600_000,
    isRemoved: await removalsOf(shop.lake, shop.log, TEST_TOPICS.events),
  })
  await state.close()
  return { events: events_total, shoppers: total_users }
}

test('live state that is made from a log which cannot rewrite leaves out who was removed, and counts what came later', async () => {
  await send('before', 30)
  await shop.flush()
  expect(await rebuilt()).toEqual({ events: 30, shoppers: 3 })
  // The log keeps what was theirs, as Kafka does.
  await removeShopper(shop.lake, ['u1'])
  expect(await rebuilt()).toEqual({ events: 20, shoppers: 2 })
  await send('after', 30)
  expect(await rebuilt()).toEqual({ events: 50, shoppers: 3 })
  await shop.flush()
  await removeShopper(shop.lake, ['u1'])
  expect(await rebuilt()).toEqual({ events: 40, shoppers: 2 })
})

test('what comes into a log that was made anew is not taken for what was removed from the one before', async () => {
  await send('before', 30)
  await shop.flush()
  await removeShopper(shop.lake, ['u1'])
  const anew = await openLmdbEventLog({ folder: join(shop.folder, 'log-anew') })
  await anew.ensureTopic(TEST_TOPICS.events, { partitionCount: 2 })
  const isRemoved = await removalsOf(shop.lake, anew, TEST_TOPICS.events)
  await anew.close()
  expect([0, 1].map((partition) => isRemoved('u1', { partition, offset: 0 }))).toEqual([false, false])
})
