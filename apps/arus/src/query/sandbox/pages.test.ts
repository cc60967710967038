import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestSql, rejected, type TestSql } from './test-sql.ts'

let shop: TestSql
beforeAll(async () => {
  shop = await openTestSql()
})
afterAll(() => shop.close())
const bytesOf: TestSql['bytesOf'] = (...asked) => shop.bytesOf(...asked)
const rowsOf: TestSql['rowsOf'] = (...asked) => shop.rowsOf(...asked)

describe('pages', () => {
  const text = 'SELECT id, category_name FROM bronze.categories ORDER BY category_name DESC'

  async function pagesOf(sqlText: string, rowLimit: number): Promise<unknown[][][]> {
    const pages: unknown[][][] = []
    let cursor: string | undefined
    do {
      const { bytes, ...summary } = await bytesOf(sqlText, { rowLimit, ...(cursor ? { cursor } : {}) })
      pages.push(JSON.parse(bytes.toString()))
      cursor = summary.nextCursor ?? undefined
    } while (cursor !== undefined)
    return pages
  }

  test('together are the whole, each row once, though the order has ties', async () => {
    const whole = await rowsOf(text)
    const pages = await pagesOf(text, 4)
    expect(pages.map((page) => page.length)).toEqual([4, 4, 4, 3])
    expect(pages.flat()).toEqual(whole)
  })

  test('stay within a LIMIT and OFFSET of the text', async () => {
    const pages = await pagesOf(`${text} LIMIT 7 OFFSET 2`, 3)
    expect(pages.flat()).toEqual((await rowsOf(text)).slice(2, 9))
  })

  test('of UNION, DISTINCT and GROUP BY follow one another too', async () => {
    for (const query of [
      'SELECT id FROM bronze.categories UNION ALL SELECT category_name FROM bronze.categories ORDER BY id DESC',
      'SELECT * FROM (SELECT id FROM bronze.categories UNION SELECT category_name FROM bronze.categories) ORDER BY left(id, 1)',
      'SELECT DISTINCT category_name FROM bronze.categories ORDER BY 1',
      'SELECT category_name, count(*) AS n FROM bronze.categories GROUP BY ALL ORDER BY n',
      'SELECT * FROM bronze.categories ORDER BY ALL',
      'WITH c AS (SELECT * FROM bronze.categories) SELECT upper(id) AS u, * FROM c ORDER BY c.category_name',
    ]) {
      expect((await pagesOf(query, 2)).flat(), query).toEqual(await rowsOf(query))
    }
  })

  test('come from the versions of the first page', async () => {
    const query = 'SELECT line_number FROM bronze.rejected_products ORDER BY 1'
    await shop.lake.write('bronze.rejected_products', rejected(-2), { mode: 'append' })
    await shop.lake.write('bronze.rejected_products', rejected(-1), { mode: 'append' })
    const first = await bytesOf(query, { rowLimit: 1 })
    await shop.lake.write('bronze.rejected_products', rejected(-3), { mode: 'append' })
    const second = await bytesOf(query, { rowLimit: 1, cursor: first.nextCursor ?? '' })
    expect([first, second].map(({ bytes }) => JSON.parse(bytes.toString()))).toEqual([[[-2]], [[-1]]])
    expect(second.tableVersions).toEqual(first.tableVersions)
  })

  test('are not offered where they would not fit together', async () => {
    const summaryOf = (query: string) => bytesOf(query, { rowLimit: 2 })
    for (const query of [
      'SELECT id FROM bronze.categories',
      'SELECT id, random() AS r FROM bronze.categories ORDER BY r',
      'SELECT id, now() FROM bronze.categories ORDER BY id',
      'SELECT id FROM bronze.categories USING SAMPLE 5 ORDER BY id',
      'SELECT id FROM bronze.categories ORDER BY id LIMIT 3 + 4',
    ]) {
      const { isTruncated, nextCursor, warnings } = await summaryOf(query)
      expect({ isTruncated, nextCursor }, query).toEqual({ isTruncated: true, nextCursor: null })
      expect(warnings, query).toHaveLength(1)
    }
  })

  test('a cursor of another query, or no cursor, is refused', async () => {
    const { nextCursor } = await bytesOf(text, { rowLimit: 1 })
    for (const [query, cursor] of [
      [`${text} `, nextCursor],
      [text, 'nonsense'],
      [text, Buffer.from('[1,2]').toString('base64url')],
    ] as const) {
      await expect(rowsOf(query, { cursor: cursor ?? '' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    }
  })
})
