import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { textsToTrim, typedProducts } from './import-sql.ts'

let instance: DuckDBInstance
let connection: DuckDBConnection
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:')
  connection = await instance.connect()
  await connection.run(`CREATE TABLE bronze AS SELECT * FROM (VALUES
    (2, 'B1', 'Mug', NULL, 'https://shop.example/1'),
    (3, 'B2', ' Mug ', NULL, 'https://shop.example/2'),
    (4, 'B3', 'Cup', '', 'https://shop.example/3')) rows(line_number, asin, title, "imgUrl", "productURL"),
    (VALUES ('4.5', '3', '9.99', '', '7', NULL::VARCHAR, 'True', '50'))
      others(stars, reviews, price, "listPrice", category_id, "categoryName", "isBestSeller", "boughtInLastMonth")`)
})
afterAll(() => {
  connection.closeSync()
  instance.closeSync()
})

test('texts are to be trimmed where a doubtful line has one that trimming changes', async () => {
  expect(await textsToTrim(connection, 'bronze', [])).toEqual([])
  expect(await textsToTrim(connection, 'bronze', [2])).toEqual([])
  expect(await textsToTrim(connection, 'bronze', [2, 3])).toEqual(['title'])
  expect(await textsToTrim(connection, 'bronze', [4])).toEqual(['imgUrl'])
})

test('without a list of doubtful lines every text is trimmed', async () => {
  expect(await textsToTrim(connection, 'bronze', null)).toEqual(['asin', 'title', 'imgUrl', 'productURL'])
})

test('products are the same, whether all texts are trimmed or those that need it', async () => {
  const products = async (sql: string) =>
    (await connection.runAndReadAll(`${sql} ORDER BY line_number`)).getRowObjectsJson()
  const all = await products(typedProducts('bronze'))
  expect(all.map(({ title, image_url }) => [title, image_url])).toEqual([
    ['Mug', null],
    ['Mug', null],
    ['Cup', null],
  ])
  const toTrim = await textsToTrim(connection, 'bronze', [3, 4])
  expect(await products(typedProducts('bronze', toTrim))).toEqual(all)
})
