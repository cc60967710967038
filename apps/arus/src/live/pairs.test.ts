import { afterEach, beforeEach, expect, test } from 'vitest'
import { addPair, copyOfPairs, partnersOf } from './pairs.ts'
import { event, HOUR, NOON, storedState, TestLive } from './test-live.ts'

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

const idsWith = async (productId: string) =>
  (await shop.live.goesWith(productId, 10)).map(({ product_id }) => product_id)

test('products of one stretch go together, both ways, over all partitions, the strongest first', async () => {
  for (const [i, user_id] of ['ani', 'budi', 'cici', 'dedi', 'eka'].entries()) {
    await shop.send(event({ user_id, product_id: 'new', action: 'add_to_cart' }))
    await shop.send(event({ user_id, product_id: i < 4 ? 'often' : 'once', action: 'add_to_cart' }))
  }
  await shop.send(event({ product_id: 'hours later', ts: NOON + 2 * HOUR, received_at: NOON + 2 * HOUR }))
  expect(await idsWith('new')).toEqual(['often', 'once'])
  expect(await idsWith('often')).toEqual(['new'])
  expect((await shop.live.goesWith('new', 1))[0]?.score).toBeCloseTo(16)
  expect(await idsWith('hours later')).toEqual([])
})

test('a pair counts once for a stretch of a shopper, as its strongest action', async () => {
  const go = (product_id: string, action: string) => shop.send(event({ product_id, action }))
  for (const product of ['a', 'b', 'a', 'b', 'a']) await go(product, 'view')
  expect((await shop.live.goesWith('a', 1))[0]?.score).toBeCloseTo(1)
  await go('a', 'purchase')
  await go('b', 'purchase')
  expect((await shop.live.goesWith('a', 1))[0]?.score).toBeCloseTo(6)
  shop.nowMs += 7 * 24 * HOUR
  expect((await shop.live.goesWith('a', 1))[0]?.score).toBeCloseTo(3)
})

test('partners are bounded: the strongest stay', () => {
  const state = copyOfPairs(undefined)
  for (let i = 0; i < 500; i++)
    addPair(state, { partner: i % 5 === 0 ? 'steady' : `p${i}`, weight: 1, atMs: NOON })
  expect(state.partners.length).toBeLessThanOrEqual(4 * 30)
  const [first] = partnersOf([state], NOON, 1)
  expect(first?.product_id).toBe('steady')
  expect(first?.score).toBeCloseTo(100, 0)
})

test('pairs survive a restart and are the same after a rebuild', async () => {
  for (let i = 0; i < 300; i++)
    await shop.append([event({ user_id: `u${i % 20}`, product_id: `p${(i * i + i) % 23}`, ts: NOON - i })])
  await shop.send(event({ product_id: 'p6' }))
  const stored = await storedState(shop)
  const before = await shop.live.goesWith('p6', 10)
  expect(before.length).toBeGreaterThan(3)
  await shop.restart()
  expect(await shop.live.goesWith('p6', 10)).toEqual(before)
  await shop.live.rebuild()
  expect(await storedState(shop)).toEqual(stored)
})
