import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HistoryItem } from '../../live/live-state.ts'
import { pastOf } from './shopper-past.ts'

const DAY_MS = 86_400_000

const item = (product_id: string, action: string, offset: number, ts = 0): HistoryItem => ({
  product_id,
  action,
  ts,
  partition: 0,
  offset,
})

describe('the past of a shopper', () => {
  test('weighs by action, place and age, newest product first', () => {
    const { products } = pastOf([item('a', 'view', 2, 7 * DAY_MS), item('b', 'purchase', 1, 0)], [])
    expect(products).toEqual([
      { product_id: 'a', weight: 1 },
      { product_id: 'b', weight: expect.closeTo(6 * 0.5 * 2 ** -0.1, 10) },
    ])
  })

  test('a removal takes back the add before it, not the one after', () => {
    const { products, seen } = pastOf(
      [
        item('a', 'add_to_cart', 3),
        item('b', 'remove_from_cart', 2),
        item('b', 'add_to_cart', 1),
        item('b', 'view', 0),
      ],
      [],
    )
    expect(products.map(({ product_id }) => product_id)).toEqual(['a', 'b'])
    expect(products[1]?.weight).toBeCloseTo(2 ** -0.3, 10)
    expect([...seen]).toEqual(['a', 'b'])
  })

  test('an action without meaning is seen but weighs nothing', () => {
    const past = pastOf([item('a', 'wished', 1)], [])
    expect(past.products).toEqual([])
    expect(past.seen.has('a')).toBe(true)
  })

  test('the session comes first, and an event in both counts once', () => {
    const both = item('s', 'view', 5)
    const past = pastOf([both, item('h', 'view', 1)], [both])
    expect(past.events.map(({ product_id }) => product_id)).toEqual(['s', 'h'])
    expect(past.sessionProducts).toEqual(new Set(['s']))
    expect(past.products[0]).toEqual({ product_id: 's', weight: 1 })
  })

  test('whatever happened: bounded, distinct, positive', () => {
    const anyItem = fc.record({
      product_id: fc.string({ maxLength: 2 }),
      action: fc.constantFrom('view', 'click', 'add_to_cart', 'remove_from_cart', 'purchase', 'other'),
      ts: fc.integer({ min: 0, max: 400 * DAY_MS }),
      partition: fc.nat(3),
      offset: fc.nat(),
    })
    fc.assert(
      fc.property(
        fc.array(anyItem, { maxLength: 300 }),
        fc.array(anyItem, { maxLength: 50 }),
        (history, session) => {
          const { products, seen, purchased } = pastOf(history, session)
          expect(products.length).toBeLessThanOrEqual(50)
          expect(new Set(products.map(({ product_id }) => product_id)).size).toBe(products.length)
          for (const { product_id, weight } of products) {
            expect(weight).toBeGreaterThan(0)
            expect(seen.has(product_id)).toBe(true)
          }
          for (const id of purchased) expect(seen.has(id)).toBe(true)
        },
      ),
    )
  })
})
