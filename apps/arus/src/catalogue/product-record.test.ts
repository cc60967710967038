import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Category } from './catalogue.ts'
import {
  decodeProduct,
  discountOf,
  productLine,
  productLineSql,
  type StoredProduct,
} from './product-record.ts'

const CATEGORIES = new Map<number, Category>([
  [7, { category_id: 7, name: 'Mugs', product_count: 1 }],
  [270, { category_id: 270, name: 'Kunst & Künste', product_count: 2 }],
])

const money = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true }), { nil: null })
const text = fc.string({
  unit: fc.constantFrom('a', 'é', 'क', '😀', '"', ',', '\n', '\r', "'", ' ', ';', '\x1e', '\x1f'),
  minLength: 1,
})
const optionalText = fc.option(text, { nil: null })
const stored: fc.Arbitrary<StoredProduct> = fc.record({
  product_id: text,
  title: text,
  image_url: optionalText,
  product_url: optionalText,
  stars: money,
  reviews: fc.nat({ max: 4_294_967_295 }),
  price: money,
  list_price: money,
  category_id: fc.constantFrom(7, 270, null),
  is_best_seller: fc.boolean(),
  bought_in_last_month: fc.nat(),
})

function asServed(product: StoredProduct) {
  return {
    ...product,
    discount: discountOf(product.price, product.list_price),
    category: product.category_id === null ? null : CATEGORIES.get(product.category_id)?.name,
  }
}

function decodeLine(line: string) {
  const before = 'anything'
  return decodeProduct(Buffer.from(`${before}${line}\n1,2`), before.length, CATEGORIES)
}

test('decoding a line gives back the product, with category and discount worked out', () => {
  fc.assert(
    fc.property(stored, (product) => {
      expect(decodeLine(productLine(product, 1.5))).toEqual(asServed(product))
    }),
  )
})

test('the line DuckDB writes decodes to the same product', async () => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const sql = `SELECT ${productLineSql('popularity')} FROM (SELECT $1::VARCHAR AS product_id, $2::VARCHAR AS title,
    $3::VARCHAR AS image_url, $4::VARCHAR AS product_url, $5::DOUBLE AS stars, $6::BIGINT AS reviews, $7::DOUBLE AS price,
    $8::DOUBLE AS list_price, $9::INTEGER AS category_id, $10::BOOLEAN AS is_best_seller,
    $11::BIGINT AS bought_in_last_month, 1.5 AS popularity)`
  await fc.assert(
    fc.asyncProperty(stored, async (product) => {
      const reader = await connection.runAndReadAll(sql, [
        product.product_id,
        product.title,
        product.image_url,
        product.product_url,
        product.stars,
        BigInt(product.reviews),
        product.price,
        product.list_price,
        product.category_id,
        product.is_best_seller,
        BigInt(product.bought_in_last_month),
      ])
      const line = String(reader.getRows()[0]?.[0])
      expect(decodeLine(line)).toEqual(asServed(product))
    }),
    { numRuns: 60 },
  )
  connection.closeSync()
  instance.closeSync()
})

test('a discount needs both prices, and a lower price', () => {
  expect(discountOf(75, 100)).toBeCloseTo(0.25)
  const none = [discountOf(100, 100), discountOf(120, 100), discountOf(null, 100), discountOf(5, null)]
  expect(none).toEqual([null, null, null, null])
})
