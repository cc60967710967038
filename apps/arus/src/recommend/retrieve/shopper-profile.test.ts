import { expect, test } from 'vitest'
import { productNamed, ShopCatalogue } from '../test-shop.ts'
import { profileOf } from './shopper-profile.ts'

const NOW_MS = Date.UTC(2026, 0, 15)

const item = (product_id: string, action: string, ts = NOW_MS) => ({
  product_id,
  action,
  ts,
  partition: 0,
  offset: 0,
})
const catalogue = new ShopCatalogue([
  productNamed('toy', { category: 'Toys', price: 10 }),
  productNamed('book', { category: 'Books', price: 100 }),
  productNamed('odd', { category: null, price: null }),
])

test('categories by share of interest, prices by quartiles of it', () => {
  const { categories, price } = profileOf(
    [item('toy', 'view'), item('book', 'purchase'), item('odd', 'purchase')],
    catalogue,
  )
  expect(categories.map(({ category }) => category)).toEqual(['Books', 'Toys'])
  expect(categories.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
  expect(categories[0]?.share).toBeGreaterThan(0.8)
  expect(price).toEqual({ low: 100, middle: 100, high: 100 })
})

test('what was done long ago counts for less', () => {
  const history = [item('toy', 'view'), item('book', 'view', NOW_MS - 70 * 86_400_000)]
  expect(profileOf(history, catalogue)).toMatchObject({
    categories: [{ category: 'Toys' }, { category: 'Books' }],
    price: { middle: 10, high: 10 },
  })
})

test('without a history or a catalogue nothing is said', () => {
  expect(profileOf([], catalogue)).toEqual({ categories: [], price: null })
  expect(profileOf([item('toy', 'view')], null)).toEqual({ categories: [], price: null })
})
