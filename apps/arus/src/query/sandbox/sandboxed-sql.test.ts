import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestSql, rejected, type TestSql } from './test-sql.ts'

let shop: TestSql
beforeAll(async () => {
  shop = await openTestSql()
})
afterAll(() => shop.close())
const bytesOf: TestSql['bytesOf'] = (...asked) => shop.bytesOf(...asked)
const rowsOf: TestSql['rowsOf'] = (...asked) => shop.rowsOf(...asked)

describe('answers', () => {
  test('by table name, with parameters, types and the version read', async () => {
    const { columns, tableVersions, bytes, ...summary } = await bytesOf(
      'SELECT id, category_name FROM bronze.categories WHERE id::INTEGER > $1 AND id != $2 ORDER BY id::INTEGER',
      { params: [11, '13'] },
    )
    expect(columns).toEqual([
      { name: 'id', type: 'VARCHAR' },
      { name: 'category_name', type: 'VARCHAR' },
    ])
    expect(JSON.parse(bytes.toString())).toEqual([
      ['12', 'name 2'],
      ['14', 'name 1'],
    ])
    expect(tableVersions).toEqual({ 'bronze.categories': 3 })
    expect(summary).toMatchObject({ rowCount: 2, isTruncated: false, nextCursor: null, warnings: [] })
  })

  test('parameters by name; what is missing or too many is told', async () => {
    expect(await rowsOf('SELECT $b - $a', { params: { a: 1, b: 3 } })).toEqual([[2]])
    await expect(rowsOf('SELECT $1', { params: [1, 2] })).rejects.toMatchObject({
      code: 'QUERY_INVALID',
      message: expect.stringContaining('$2 is not in the query'),
    })
    await expect(rowsOf('SELECT $1, $2', { params: [1] })).rejects.toThrow('$2 has no value')
  })

  test('keep every digit of a long number, also where the text is written anew', async () => {
    expect(await rowsOf('SELECT 12345678901234567890123456789, 9007199254740993 ORDER BY 1')).toEqual([
      ['12345678901234567890123456789', '9007199254740993'],
    ])
  })

  test('parameters and constants keep their types, in ordered and in other queries', async () => {
    const types =
      'typeof($1), typeof($2), typeof($3), typeof($4), typeof($5), typeof(1e10), typeof(1.0), typeof(1e-9)'
    const params = [1, 5_000_000_000, 0.1, "it's", null]
    const expected = ['INTEGER', 'BIGINT', 'DOUBLE', 'VARCHAR', '"NULL"', 'DOUBLE', 'DECIMAL(2,1)', 'DOUBLE']
    for (const order of ['', ' ORDER BY 1']) {
      expect(await rowsOf(`SELECT ${types}${order}`, { params }), order).toEqual([expected])
    }
    expect(await rowsOf('SELECT $1 || $2; -- the end', { params: ['a;b', "c'd\n"] })).toEqual([["a;bc'd\n"]])
    expect(await rowsOf('SELECT $1 AS x, 1e10 * 1e10 * 1e10 ORDER BY x', { params: [true] })).toEqual([
      [true, 1e30],
    ])
    await expect(rowsOf('SELECT $1', { params: ['a\0b'] })).rejects.toMatchObject({ code: 'QUERY_INVALID' })
  })

  test('a long answer is cut at the row limit, and says so', async () => {
    const { bytes, ...summary } = await bytesOf('SELECT * FROM range(100000)', { rowLimit: 3_000 })
    expect(JSON.parse(bytes.toString())).toHaveLength(3_000)
    expect(summary).toMatchObject({ rowCount: 3_000, isTruncated: true, nextCursor: null })
    expect(summary.warnings).toEqual([expect.stringContaining('ORDER BY')])
  })

  test('an answer larger than it may be is broken off, not cut', async () => {
    const asked = bytesOf("SELECT repeat('x', 1000) FROM range(1000000)", { rowLimit: 20_000 })
    await expect(asked).rejects.toMatchObject({ code: 'QUERY_TOO_EXPENSIVE' })
  })

  test('an error in a late row is an error, not the end of the rows', async () => {
    const text =
      'SELECT CASE WHEN i < 150000 THEN i ELSE error(i::VARCHAR)::INTEGER END FROM range(200000) t(i)'
    await expect(rowsOf(text, { rowLimit: 200_000 })).rejects.toMatchObject({
      code: 'QUERY_INVALID',
      message: expect.stringContaining('150000'),
    })
  })

  test('an unknown table is named with those there are, and a typo with its place', async () => {
    await expect(rowsOf('SELECT * FROM silver.nothing')).rejects.toMatchObject({
      code: 'TABLE_UNKNOWN',
      message: expect.stringContaining('silver.events'),
    })
    await expect(rowsOf('SELECT id FORM bronze.categories')).rejects.toThrow(/"bronze.*character 16/)
  })
})

describe('versions', () => {
  test('AT reads an older version, beside the newest of the same table', async () => {
    const text = `SELECT (SELECT count(*) FROM bronze.categories AT (VERSION => 1)), count(*) FROM bronze.categories`
    const { bytes, tableVersions } = await bytesOf(text)
    expect(JSON.parse(bytes.toString())).toEqual([[5, 15]])
    expect(tableVersions).toEqual({ 'bronze.categories@1': 1, 'bronze.categories@3': 3 })
  })

  test('AT takes an alias before it, a parameter, and a moment', async () => {
    expect(
      await rowsOf('SELECT count(c.id) FROM bronze.categories AS c AT (VERSION => $1)', { params: [2] }),
    ).toEqual([[10]])
    const [last] = await (await shop.lake.table('bronze.categories')).history(1)
    const moment = new Date((last?.timestampMs ?? 0) + 1_000).toISOString()
    expect(
      await rowsOf(`SELECT count(*) FROM bronze.categories AT (TIMESTAMP => TIMESTAMP '${moment}')`),
    ).toEqual([[15]])
  })

  test('"at" holds for every table the text does not pin', async () => {
    const text = `SELECT (SELECT count(*) FROM bronze.categories AT (VERSION => 2)), count(*) FROM bronze.categories`
    expect(await rowsOf(text, { at: '1' })).toEqual([[10, 5]])
  })

  test('a version or a moment that is not there is refused with those that are', async () => {
    await expect(rowsOf('FROM bronze.categories AT (VERSION => 9)')).rejects.toMatchObject({
      code: 'TABLE_VERSION_UNKNOWN',
      message: expect.stringMatching(/bronze\.categories.*from 0 to 3/),
    })
    await expect(rowsOf('FROM bronze.categories', { at: '2001-01-01' })).rejects.toMatchObject({
      code: 'TABLE_VERSION_UNKNOWN',
      message: expect.stringContaining('the oldest is of'),
    })
  })

  test('two tables that are written together are read together, though writes go on', async () => {
    let isWriting = true
    const writing = (async () => {
      for (let i = 0; isWriting; i++) {
        await shop.lake.write('gold.model_metrics', metric(i), { mode: 'append' })
        await shop.lake.write('bronze.rejected_products', rejected(i), { mode: 'append' })
      }
    })()
    try {
      for (let i = 0; i < 10; i++) {
        const [[first, second] = []] = await rowsOf(
          'SELECT (SELECT count(*) FROM gold.model_metrics), (SELECT count(*) FROM bronze.rejected_products)',
        )
        expect([0, 1]).toContain(Number(first) - Number(second))
      }
    } finally {
      isWriting = false
      await writing
    }
  })
})

function metric(i: number): string {
  return `SELECT ${i} AS version, 'walk' AS kind, 'recall@20' AS metric, 0.1 AS value, now() AS trained_at`
}
