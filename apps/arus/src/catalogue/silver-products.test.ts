import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { silverProducts } from './silver-products.ts'
import { NUMBERS, type ProductNumbers, type ProductSource, TEXT_BYTES } from './stored-product.ts'
import { sourceOf, type TestProduct } from './test-products.ts'

const money = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true }), { nil: null })
const text = fc.string({
  unit: fc.constantFrom('a', 'é', 'क', '😀', '"', ',', '\n', '\r', "'", ' ', ';', '\x1c', '\x1f'),
  minLength: 1,
})
const optionalText = fc.option(text, { nil: null })
const product: fc.Arbitrary<TestProduct> = fc.record({
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
  bought_in_last_month: fc.constant(0),
  popularity: fc.constant(0),
})

test('DuckDB gives the texts and the numbers of products whatever stands in them', async () => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const folder = mkdtempSync(join(tmpdir(), 'arus-silver-'))
  await connection.run('SET threads = 1')
  const property = fc.asyncProperty(fc.array(product, { minLength: 1, maxLength: 20 }), async (products) => {
    await connection.run(`CREATE OR REPLACE TABLE silver (product_id VARCHAR, title VARCHAR, image_url VARCHAR,
      product_url VARCHAR, stars DOUBLE, reviews BIGINT, price DOUBLE, list_price DOUBLE, category_id INTEGER,
      is_best_seller BOOLEAN, bought_in_last_month BIGINT)`)
    for (const { popularity: _, ...columns } of products) {
      const { reviews, bought_in_last_month, ...others } = columns
      await connection.run(
        `INSERT INTO silver BY NAME SELECT ${Object.keys(others)
          .map((name, at) => `$${at + 1} AS ${name}`)
          .join(', ')}, ${reviews} AS reviews, ${bought_in_last_month} AS bought_in_last_month`,
        Object.values(others),
      )
    }
    const source = silverProducts(connection, { relation: 'silver', meanStars: 4 })
    const expected = sourceOf(products)
    expect(await textsOf(source, join(folder, 'a'))).toEqual(await textsOf(expected, join(folder, 'b')))
    const found = (await numbersOf(source)).map(withoutPopularity)
    expect(found).toEqual((await numbersOf(expected)).map(withoutPopularity))
  })
  try {
    await fc.assert(property, { numRuns: 40 })
  } finally {
    connection.closeSync()
    instance.closeSync()
    rmSync(folder, { recursive: true })
  }
})

async function textsOf(source: ProductSource, file: string): Promise<string> {
  await source.writeTexts(file)
  const texts = readFileSync(file, 'utf8')
  rmSync(file)
  return texts
}

async function numbersOf(source: ProductSource): Promise<ProductNumbers[]> {
  const batches: ProductNumbers[] = []
  for await (const batch of source.numbers({ withTextBytes: true })) batches.push(batch)
  return batches
}

/** The formula of popularity has no twin here. */
function withoutPopularity(numbers: ProductNumbers) {
  return [...NUMBERS, ...TEXT_BYTES]
    .filter((name) => name !== 'popularity')
    .map((name) => [name, [...(numbers[name] ?? [])]])
}
