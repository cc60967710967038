import { afterEach, beforeEach, expect, test } from 'vitest'
import { createIngest } from '../events/log-ingest.ts'
import { topicNames } from '../events/topics.ts'
import { event, failingOnce, HOUR, TestLive, TOPIC } from './test-live.ts'
import { UnstoredIds } from './unstored-ids.ts'

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

/** What a process before wrote is applied, storing it fails, memory is taken back, and the log is not read again yet. */
async function takenBack(): Promise<void> {
  await shop.live.stop()
  await shop.append([event({ event_id: 'before' })])
  const failed = Promise.withResolvers<void>()
  await shop.start({ state: failingOnce(shop.state), retryMs: HOUR, onFault: () => failed.resolve() })
  expect(shop.live.analytics().events_total).toBe(1)
  await failed.promise
  await shop.live.flush()
  expect(shop.live.analytics().events_total).toBe(0)
}

test('what a process before wrote is accepted no second time after a commit that failed', async () => {
  await takenBack()
  expect(await shop.live.isKnown(['before', 'other'])).toEqual([true, false])
  const ingest = createIngest({
    log: shop.log,
    topics: topicNames('shop', TOPIC),
    isKnown: (ids) => shop.live.isKnown(ids),
    now: () => shop.nowMs,
  })
  const again = { event_id: 'before', user_id: 'ani', action: 'view', product_id: 'P1' }
  expect(await ingest.accept([again])).toMatchObject({ accepted: 0, duplicates: 1 })
  await shop.restart()
  expect(shop.live.analytics().events_total).toBe(1)
  expect(await shop.live.isKnown(['before'])).toEqual([true])
})

test('it may come again once it is past the window, or was forgotten', async () => {
  await takenBack()
  shop.nowMs += 25 * HOUR
  expect(await shop.live.isKnown(['before'])).toEqual([false])
  shop.nowMs -= 25 * HOUR
  await shop.live.forget('ani', { eventIds: ['before'] })
  expect(await shop.live.isKnown(['before'])).toEqual([false])
})

test('an id stays until the store stands beyond its event', () => {
  const ids = new UnstoredIds()
  for (const offset of [0, 1, 2])
    for (const partition of [0, 1])
      ids.add(`${partition}/${offset}`, { partition, offset, receivedAtMs: offset })
  ids.areStored(new Map([[0, 2]]))
  expect(['0/0', '0/1', '0/2', '1/0'].map((id) => ids.receivedAtMs(id))).toEqual([undefined, undefined, 2, 0])
  ids.areStored(
    new Map([
      [0, 3],
      [1, 3],
    ]),
  )
  expect(ids.size).toBe(0)
})
