import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ShopEvent } from '../events/event.ts'
import { type FoundShopper, findShopper } from './find-shopper.ts'
import { openTestLake, TEST_TOPICS, type TestLake, testEvent } from './test-lake.ts'

let shop: TestLake
let count = 0
beforeEach(async () => {
  shop = await openTestLake()
  count = 0
})
afterEach(() => shop.close())

const event = (fields: Partial<ShopEvent>) => testEvent({ event_id: `e${count++}`, user_id: null, ...fields })

async function found(id: string, events: readonly ShopEvent[]): Promise<FoundShopper> {
  await shop.send(events)
  await shop.flush()
  return findShopper(shop.lake, id)
}

test('anonymous ids and sessions that were theirs alone are found, with the rows of all names', async () => {
  const { names, rowCounts, eventIds, firstAtMs } = await found('ani', [
    event({ anonymous_id: 'v1', session_id: 's1', received_at: 5_000 }),
    event({ user_id: 'ani', anonymous_id: 'v1' }),
    event({ user_id: 'ani', session_id: 's2' }),
    event({ session_id: 's2' }),
    event({ user_id: 'ani', action: 'alias', product_id: null, properties: { previousId: 'v2' } }),
    event({ anonymous_id: 'v2' }),
    event({ user_id: 'budi' }),
  ])
  expect(names).toEqual({ id: 'ani', anonymousIds: ['v1', 'v2'], sessions: ['s1', 's2'] })
  expect(rowCounts['bronze.events']).toBe(6)
  expect(eventIds.toSorted()).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5'])
  expect(firstAtMs).toBe(5_000)
})

test('an alias that names another user, or an anonymous id of two, is not followed', async () => {
  const { names, rowCounts, sharedAnonymousIds } = await found('mallory', [
    event({ user_id: 'mallory', action: 'alias', properties: { previousId: 'ani' } }),
    event({ user_id: 'mallory', action: 'identify', anonymous_id: 'ani' }),
    event({ user_id: 'mallory', anonymous_id: 'kiosk', session_id: 'shared' }),
    event({ user_id: 'mallory', session_id: 'budi' }),
    event({ user_id: 'ani', session_id: 'shared' }),
    event({ user_id: 'budi', anonymous_id: 'kiosk' }),
    event({ anonymous_id: 'kiosk' }),
  ])
  expect(names).toEqual({ id: 'mallory', anonymousIds: [], sessions: [] })
  expect(rowCounts['bronze.events']).toBe(4)
  expect(sharedAnonymousIds).toBe(2)
})

test('a visitor who signed in later is the user: their own name leads to what came under it alone', async () => {
  const { names, rowCounts, namedByOthers } = await found('v1', [
    event({ anonymous_id: 'v1' }),
    event({ user_id: 'ani', anonymous_id: 'v1' }),
  ])
  expect([names.anonymousIds, rowCounts['bronze.events'], namedByOthers]).toEqual([[], 1, 1])
})

test('sessions that they only asked for answers in are theirs; nobody has nothing', async () => {
  const passport = (user_id: string | null, session_id: string) => ({
    key: user_id,
    value: Buffer.from(
      JSON.stringify({ recommendation_id: `r${count++}`, user_id, session_id, generated_at: 1 }),
    ),
    timestampMs: 1,
  })
  await shop.log.append(TEST_TOPICS.recommendations, [
    passport('ani', 's1'),
    passport(null, 's1'),
    passport('ani', 's2'),
    passport('budi', 's2'),
  ])
  const ani = await found('ani', [event({ user_id: 'ani' })])
  expect([ani.names.sessions, ani.rowCounts['bronze.recommendations']]).toEqual([['s1'], 3])
  const nobody = await findShopper(shop.lake, 'nobody')
  expect(Object.values(nobody.rowCounts).every((rows) => rows === 0)).toBe(true)
  expect(nobody).toMatchObject({ firstAtMs: null, eventIds: [], sharedAnonymousIds: 0, namedByOthers: 0 })
})
