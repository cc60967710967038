import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addDecayed, decayedAt, NO_COUNT, withoutFuture } from './decayed-count.ts'
import { growthRate, NEW_PRODUCT, trendOf, viewsToday, withEvent } from './product-state.ts'
import { event, HOUR, NOON, TestLive } from './test-live.ts'
import { addToTrend, NO_TREND, PAST_HALF_LIFE_MS, surprise, trendScore } from './trending.ts'

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

describe('trends', () => {
  test('a product that surges leads one that is always busy', async () => {
    const steady = Array.from({ length: 240 }, (_, i) =>
      event({ product_id: 'busy', ts: NOON - i * 0.5 * HOUR }),
    )
    const surge = Array.from({ length: 30 }, (_, i) => event({ product_id: 'surge', ts: NOON - i * 60_000 }))
    await shop.send(...steady, ...surge)
    expect(shop.live.trending(5).map((product) => product.product_id)[0]).toBe('surge')
    expect(shop.live.trending(1)[0]).toMatchObject({ views_today: 30, growth_rate: null })
  })

  test('a steady rate is no surprise, and a count above it is so many standard deviations', () => {
    let trend = NO_TREND
    let added = 0
    const end = 40 * PAST_HALF_LIFE_MS
    for (let t = 0; t <= end; t += HOUR / 2) {
      trend = addToTrend(trend, t, 1)
      added += 1
    }
    expect(Math.abs(trendScore(trend, end, added))).toBeLessThan(0.5)
    // With 23 expected, three standard deviations more.
    expect(surprise(23 + 3 * Math.sqrt(24), 23 * 36)).toBeCloseTo(3)
  })

  const additions = fc.array(fc.tuple(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 1, max: 6 })), {
    minLength: 1,
    maxLength: 20,
  })
  const folded = (list: readonly (readonly [number, number])[]) =>
    list.reduce((count, [tsMs, weight]) => addDecayed(count, { tsMs, weight, halfLifeMs: HOUR }), NO_COUNT)

  test('the order in which events arrive does not change the stored counts at all', () => {
    fc.assert(
      fc.property(additions, fc.func(fc.integer()), (list, shuffle) => {
        const other = [...list].sort((a, b) => shuffle(a) - shuffle(b))
        expect(folded(other)).toEqual(folded(list))
      }),
    )
  })

  test('a decayed count is the sum of what is left of each weight', () => {
    fc.assert(
      fc.property(additions, fc.integer({ min: 0, max: 1e8 }), (list, later) => {
        const nowMs = Math.max(...list.map(([ts]) => ts)) + later
        const plain = list.reduce((sum, [ts, weight]) => sum + weight * 2 ** ((ts - nowMs) / HOUR), 0)
        const total = list.reduce((sum, [, weight]) => sum + weight, 0)
        expect(Math.abs(decayedAt(folded(list), nowMs, HOUR) - plain)).toBeLessThan(0.002 * total)
      }),
    )
  })

  test('what a clock that was ahead has added goes, and leaves the present', () => {
    const now = folded([[NOON, 3]])
    const year = addDecayed(now, { tsMs: NOON + 16 * HOUR, weight: 1, halfLifeMs: HOUR })
    expect(decayedAt(year, NOON, HOUR)).toBeCloseTo(3)
    expect(withoutFuture(year, NOON, HOUR)).toEqual(now)
  })

  test('events that a clock two weeks ahead placed within a period do not make the past larger than all there was', () => {
    let product = NEW_PRODUCT
    const view = (ts: number) => {
      product = withEvent(product, event({ ts, received_at: ts }), ts + HOUR)
    }
    for (let i = 0; i < 3; i++) view(NOON)
    for (let i = 0; i < 3; i++) view(NOON + 1_174_474_885)
    for (let i = 0; i < 3; i++) view(NOON + 5 * HOUR)
    expect(trendOf(product, NOON + 5 * HOUR)).toBeGreaterThan(1)
  })

  test('growth compares with the same part of yesterday', () => {
    let product = NEW_PRODUCT
    const view = (ts: number) => {
      product = withEvent(product, event({ ts }), NOON + HOUR)
    }
    for (let i = 0; i < 10; i++) view(NOON - 26 * HOUR)
    for (let i = 0; i < 99; i++) view(NOON - 20 * HOUR)
    for (let i = 0; i < 15; i++) view(NOON - HOUR)
    expect(viewsToday(product, NOON)).toBe(15)
    expect(growthRate(product, NOON)).toBeCloseTo(0.5)
  })
})

test('a category trends by all its products, those of the catalogue alone', async () => {
  await shop.restart({ categoryOf: (id) => ({ P1: 'Toys', P2: 'Toys', P3: 'Books' })[id] ?? null })
  await shop.send(
    event({ product_id: 'P1' }),
    event({ product_id: 'P2', action: 'purchase' }),
    event({ product_id: 'P3' }),
    event({ product_id: 'P4' }),
  )
  expect(shop.live.trendingCategories(5)).toMatchObject([
    { category: 'Toys', views_today: 1, growth_rate: null },
    { category: 'Books', views_today: 1 },
  ])
  const before = shop.live.trendingCategories(5)
  await shop.restart()
  expect(shop.live.trendingCategories(5)).toEqual(before)
})
