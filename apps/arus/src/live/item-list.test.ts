import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ShopEvent } from '../events/event.ts'
import { itemsOf, NO_ITEMS, withItem } from './item-list.ts'

function viewOf(product_id: string, ts: number): ShopEvent {
  return { event_id: 'e', action: 'view', product_id, ts, received_at: 20 } as ShopEvent
}

test('holds the newest, however they arrive: what sorting and cutting gives', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string(), fc.integer({ min: -5, max: 20 })), { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      (arrivals, limit) => {
        let list = NO_ITEMS
        for (const [offset, [product, ts]] of arrivals.entries())
          list = withItem(list, viewOf(product, ts), { place: { partition: 1, offset }, limit })
        const expected = arrivals
          .map(([product_id, ts], offset) => ({ product_id, action: 'view', ts, partition: 1, offset }))
          .sort((a, b) => b.ts - a.ts || b.offset - a.offset)
          .slice(0, limit)
        expect(itemsOf(list, limit)).toEqual(expected)
        expect(list[1]).toBeLessThanOrEqual(limit * 1.5)
      },
    ),
  )
})

test('an event without a product is no item', () => {
  const search = { ...viewOf('', 1), product_id: null }
  expect(withItem(NO_ITEMS, search, { place: { partition: 0, offset: 0 }, limit: 3 })).toBe(NO_ITEMS)
  expect(itemsOf(NO_ITEMS, 3)).toEqual([])
})
