import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from '@uwdata/flechette'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestSql, type TestSql } from './test-sql.ts'

let shop: TestSql
beforeAll(async () => {
  shop = await openTestSql()
})
afterAll(() => shop.close())
const bytesOf: TestSql['bytesOf'] = (...asked) => shop.bytesOf(...asked)

describe('formats', () => {
  const text = `SELECT i, i::VARCHAR AS s, TIMESTAMPTZ '2026-01-02 03:04:05.678901+07' + INTERVAL (i) SECOND AS ts,
    [1, NULL, i] AS l, {'a': i, 'b': 'x'} AS st, MAP {'k': i} AS m, 1.25::DECIMAL(5, 2) AS d, DATE '2026-01-02' AS day,
    sum(i) OVER () AS total, NULL::INTEGER AS n, INTERVAL 1 DAY AS iv, 'a"b,c' AS q FROM range(5000) t(i)`

  test('CSV quotes what must be quoted', async () => {
    const values = `'a"b,c' AS "x,y", NULL AS n, '' AS e, 'two' || chr(10) || 'lines' AS t, [1, 2] AS l, true AS b`
    const { bytes } = await bytesOf(`SELECT ${values}`, { format: 'csv' })
    expect(bytes.toString()).toBe('"x,y",n,e,t,l,b\r\n"a""b,c",,"","two\nlines","[1,2]",true\r\n')
  })

  test('an Arrow stream holds the rows of all chunks, typed', async () => {
    const { bytes, ...summary } = await bytesOf(text, { format: 'arrow', rowLimit: 4_000 })
    expect(summary).toMatchObject({ rowCount: 4_000, isTruncated: true })
    const table = tableFromIPC(bytes, { useBigInt: true, useDecimalInt: true, useBigIntTimestamp: true })
    expect(table.numRows).toBe(4_000)
    const row = table.get(3_999) as Record<string, unknown>
    expect(row).toMatchObject({
      i: 3_999n,
      s: '3999',
      ts: BigInt(Date.UTC(2026, 0, 1, 20, 4, 5)) * 1000n + 3_999_678_901n,
      d: 125n,
      total: 12_497_500n,
      n: null,
      q: 'a"b,c',
      iv: '1 day',
      st: { a: 3_999n, b: 'x' },
    })
    expect([...(row.l as Iterable<unknown>)]).toEqual([1n, null, 3_999n])
    expect(row.m).toEqual([['k', 3_999n]])
  })

  test('Parquet and Arrow of no rows have their columns', async () => {
    const none = 'SELECT id, 1.5::DECIMAL(4, 1) AS d FROM bronze.categories WHERE false'
    const arrow = tableFromIPC((await bytesOf(none, { format: 'arrow' })).bytes)
    expect([arrow.numRows, arrow.names]).toEqual([0, ['id', 'd']])
    const parquet = await fromParquet((await bytesOf(none, { format: 'parquet' })).bytes)
    expect(parquet).toEqual([])
  })

  test('a Parquet file holds the rows, typed', async () => {
    const { bytes } = await bytesOf(text, { format: 'parquet', rowLimit: 4_000 })
    const rows = await fromParquet(bytes)
    expect(rows).toHaveLength(4_000)
    expect(rows[3_999]).toMatchObject({
      i: '3999',
      ts: '2026-01-01 21:10:44.678901+00',
      d: '1.25',
      day: '2026-01-02',
      l: ['1', null, '3999'],
    })
  })

  async function fromParquet(bytes: Buffer): Promise<Record<string, unknown>[]> {
    const file = join(shop.folder, 'answer.parquet')
    writeFileSync(file, bytes)
    const connection = await shop.duckdb.connect()
    try {
      return (await connection.runAndReadAll(`SELECT * FROM '${file}'`)).getRowObjectsJson() as Record<
        string,
        unknown
      >[]
    } finally {
      connection.closeSync()
    }
  }
})
