import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Category } from './catalogue.ts'
import { decodeProduct, discountOf, encodeProduct, RECORD_BYTES_MAX } from './product-record.ts'

const CATEGORIES: Category[] = [
  { category_id: 7, name: 'Mugs', product_count: 1 },
  { category_id: 270, name: 'Kunst & Künste', product_count: 2 },
]

const money = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: null })
const text = fc.option(fc.string({ unit: 'grapheme' }), { nil: null })
const stored = fc.record({
  product_id: fc.string({ minLength: 1 }),
  title: fc.string({ unit: 'grapheme' }),
  image_url: text,
  product_url: text,
  stars: money,
  reviews: fc.nat({ max: 4_294_967_295 }),
  price: money,
  list_price: money,
  category_index: fc.option(fc.nat({ max: 1 }), { nil: null }),
  is_best_seller: fc.boolean(),
  bought_in_last_month: fc.nat(),
})

test('decoding gives back what was encoded, with category and discount worked out', () => {
  const scratch = Buffer.alloc(RECORD_BYTES_MAX)
  fc.assert(
    fc.property(stored, (product) => {
      const { category_index, ...rest } = product
      const category = category_index === null ? undefined : CATEGORIES[category_index]
      const length = encodeProduct(product, scratch)
      expect(decodeProduct(Buffer.from(scratch.subarray(0, length)), CATEGORIES)).toEqual({
        ...rest,
        discount: discountOf(product.price, product.list_price),
        category_id: category?.category_id ?? null,
        category: category?.name ?? null,
      })
    }),
  )
})

test('a discount needs both prices, and a lower price', () => {
  expect(discountOf(75, 100)).toBeCloseTo(0.25)
  expect([discountOf(100, 100), discountOf(120, 100), discountOf(null, 100), discountOf(5, null)]).toEqual(
    Array(4).fill(null),
  )
})
