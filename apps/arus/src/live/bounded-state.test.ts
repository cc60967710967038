import { afterEach, beforeEach, expect, test } from 'vitest'
import { DEFAULT_LIVE_RULES } from './live-rules.ts'
import { event, HOUR, storedState, TestLive } from './test-live.ts'

const DAY = 24 * HOUR
const SHOPPERS_A_DAY = 200

const rules = { ...DEFAULT_LIVE_RULES, idleMs: 3 * DAY }

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open({ rules })
})
afterEach(() => shop.close())

/** New shoppers of new products in new sessions, one who comes daily, then a day goes by and what is past goes. */
async function dayOf(day: number): Promise<void> {
  const at = { ts: shop.nowMs, received_at: shop.nowMs }
  const strangers = Array.from({ length: SHOPPERS_A_DAY }, (_, i) => {
    const id = `${day}-${i}`
    return ['a', 'b'].map((product) =>
      event({ ...at, user_id: `u${id}`, session_id: `s${id}`, product_id: `${product}${id}` }),
    )
  })
  await shop.send(...strangers.flat(), event({ ...at, user_id: 'daily', product_id: 'classic' }))
  shop.pass(DAY)
  await shop.lmdb.expire()
}

test('over weeks of shoppers who never come back, what is stored stays as much as that of some days', async () => {
  const counts: number[] = []
  const sizes: number[] = []
  for (let day = 0; day < 20; day++) {
    await dayOf(day)
    counts.push((await storedState(shop)).size)
    sizes.push(await shop.state.sizeBytes())
  }
  const [early, late] = [counts.slice(8, 12), counts.slice(15)].map((some) => Math.max(...some))
  expect(late).toBe(early)
  // Some keys a shopper, for the days that are kept: far from twenty days of them.
  expect(late).toBeLessThan(SHOPPERS_A_DAY * 12 * 7)
  expect(sizes.at(-1)).toBeLessThan(1.2 * (sizes[12] ?? 0))
  expect(await shop.lmdb.expiryListCount()).toBeLessThan(500)
  await shop.restart({ rules })
  expect(await shop.live.shopper('u0-0')).toBeNull()
  expect(await shop.live.shopper('daily')).toMatchObject({ events: 20 })
  expect(await shop.live.productCounters('classic')).toMatchObject({ views: 20 })
  expect(shop.live.analytics()).toMatchObject({ events_total: 20 * (2 * SHOPPERS_A_DAY + 1) })
})
