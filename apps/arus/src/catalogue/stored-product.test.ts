import { expect, test } from 'vitest'
import { discountOf } from './stored-product.ts'

test('a discount needs both prices, and a lower price', () => {
  expect(discountOf(75, 100)).toBeCloseTo(0.25)
  const none = [discountOf(100, 100), discountOf(120, 100), discountOf(null, 100), discountOf(5, null)]
  expect(none).toEqual([null, null, null, null])
})
