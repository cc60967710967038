import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from '@uwdata/flechette'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonValue } from '../../json-value.ts'
import { arrowRows } from './arrow-rows.ts'
import type { RowEncoder } from './row-encoder.ts'
import { csvRows, jsonRows } from './text-rows.ts'

let instance: DuckDBInstance
let connection: DuckDBConnection
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '4' })
  connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
})
afterAll(() => {
  connection.closeSync()
  instance.closeSync()
})

/** Makes the rows of a query the answer, and gives its bytes in a format. */
async function bytesOf(encoder: RowEncoder, sql: string): Promise<Buffer> {
  const result = await connection.run(`SELECT * FROM (${sql}) LIMIT 0`)
  const columns = result.columnNames().map((name, i) => ({ name, type: result.columnType(i) }))
  const aliases = columns.map((_, i) => `c${i}`).join(', ')
  const created = await connection.run(
    `CREATE OR REPLACE TEMP TABLE answer AS SELECT * FROM (${sql}) AS t(${aliases})`,
  )
  const [[rowCount] = []] = await created.getRows()
  const pieces: Uint8Array[] = []
  for await (const bytes of encoder({ connection, columns, rowCount: Number(rowCount) })) pieces.push(bytes)
  return Buffer.concat(pieces)
}

/** Rows value by value, as the analytics of the dashboard get them. */
async function valuesOf(sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getRows().map((row) => row.map(jsonValue))
}

/** Every type a column may have, with its edges and NULL; `|` parts the values. */
const TYPES: readonly (readonly [type: string, values: string])[] = [
  ['BOOLEAN', 'true|false'],
  ['TINYINT', '-128|127'],
  ['UTINYINT', '255'],
  ['SMALLINT', '-32768|32767'],
  ['USMALLINT', '65535'],
  ['INTEGER', '-2147483648|0'],
  ['UINTEGER', '4294967295'],
  ['BIGINT', '9007199254740991|9007199254740992|-9007199254740991|-9007199254740993|-9223372036854775808'],
  ['UBIGINT', '18446744073709551615|5'],
  ['HUGEINT', '170141183460469231731687303715884105727|-12|9007199254740993'],
  ['UHUGEINT', '340282366920938463463374607431768211455|7'],
  ['FLOAT', '0.1|1|-3.4e38|NaN|inf'],
  [
    'DOUBLE',
    '1|-0.0|0.1|1e15|1e16|123456789012345678|1e20|1e21|1.5e300|0.0001|0.000012|1.25e-6|1.25e-7|5e-324|NaN|-inf',
  ],
  ['DECIMAL(4, 2)', '12.50|-0.01'],
  ['DECIMAL(9, 3)', '123456.789'],
  ['DECIMAL(18, 0)', '123456789012345678'],
  ['DECIMAL(18, 6)', '123456789012.345678|0.1'],
  ['DECIMAL(38, 10)', '1234567890123456789012345678.0123456789|0.5'],
  ['VARCHAR', `|plain|a"b,c|line\nbreak|tab\t\\|é€😀|\u2028|null|\u007f`],
  ['BLOB', '\\x00\\xFFab|plain'],
  ['DATE', '2026-01-02|0001-01-01|0044-03-15 (BC)|12345-06-07|infinity'],
  ['TIME', '00:00:00|23:59:59.999999'],
  ['TIMETZ', '12:00:00+07|01:02:03.5-03:30'],
  [
    'TIMESTAMP',
    '2026-01-02 03:04:05.678901|1969-12-31 23:59:59.9995|0044-03-15 (BC) 01:02:03|0001-01-01 (BC)|12345-06-07 08:09:10|infinity',
  ],
  ['TIMESTAMPTZ', '2026-01-02 03:04:05.678901+07|1900-01-01|-infinity'],
  ['TIMESTAMP_S', '2026-01-02 03:04:05'],
  ['TIMESTAMP_MS', '2026-01-02 03:04:05.678'],
  ['TIMESTAMP_NS', '2026-01-02 03:04:05.678901234'],
  ['INTERVAL', '1 month -3 days 00:00:01.5|1 year 2 months|-00:00:00.000001'],
  ['UUID', '00112233-4455-6677-8899-aabbccddeeff'],
  ['BIT', '0101|1'],
  [`ENUM('a"b', 'c')`, 'a"b|c'],
  ['JSON', '{"a": [1, null]}|"x"'],
]

function selectOf(type: string, values: string): string {
  const rows = values.split('|').map((value) => `('${value.replaceAll("'", "''")}')`)
  return `SELECT v::${type} AS v FROM (VALUES ${rows.join(', ')}, (NULL)) t(v)`
}

describe('JSON', () => {
  test.each(TYPES)('%s is the text of its value', async (type, values) => {
    const sql = selectOf(type, values)
    expect((await bytesOf(jsonRows, sql)).toString()).toBe(JSON.stringify(await valuesOf(sql)))
  })

  test.each([
    'SELECT [1, NULL, 9007199254740993] AS a, []::INTEGER[] AS b, [[0.5], NULL, []] AS c, NULL::VARCHAR[] AS d',
    `SELECT ['a"b', NULL, ''] AS a, array_value(1, 2) AS b, [TIMESTAMP '2026-01-02', NULL] AS c`,
    `SELECT {'a': 1, 'b "q''s': 'x', 'n': NULL} AS s, {'in': {'l': [{'x': 1.5}, NULL]}} AS t, NULL::STRUCT(a INTEGER) AS u`,
    `SELECT MAP {'k': 1, 'n': NULL} AS m, MAP {1: [2], 3: []} AS n, MAP {}::MAP(INTEGER, INTEGER) AS o`,
    `SELECT union_value(num := 2) AS u, [DATE '2026-01-02'] AS d, ['x'::BLOB] AS b, 'it''s' AS q`,
    `SELECT [{'m': MAP {'k': [i, NULL]}}] AS x FROM range(500) t(i)`,
  ])('nested: %s', async (sql) => {
    expect((await bytesOf(jsonRows, sql)).toString()).toBe(JSON.stringify(await valuesOf(sql)))
  })

  test('of any depth has its text within moments', async () => {
    const deep = `${'['.repeat(100)}'a"b'${']'.repeat(100)}`
    const sql = `SELECT ${deep} AS d, i, NULL::INTEGER AS n FROM range(3) t(i)`
    const startedAt = performance.now()
    expect((await bytesOf(jsonRows, sql)).toString()).toBe(JSON.stringify(await valuesOf(sql)))
    const json = deep.replace(`'a"b'`, '"a\\"b"')
    const cell = `"${json.replaceAll('"', '""')}"`
    expect((await bytesOf(csvRows, sql)).toString()).toBe(
      `d,i,n\r\n${[0, 1, 2].map((i) => `${cell},${i},\r\n`).join('')}`,
    )
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  test('any double has the text ECMAScript gives it', async () => {
    const doubles = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      numRuns: 5_000,
      seed: 1,
    })
    const scaled = doubles.map(
      (value, i) => Number(`${String(value).slice(0, 9)}`.split('e')[0]) * 10 ** ((i % 40) - 15),
    )
    const all = [...doubles, ...scaled].filter(Number.isFinite)
    const list = all.map((value) => `('${value}')`).join(', ')
    const bytes = await bytesOf(jsonRows, `SELECT v::DOUBLE FROM (VALUES ${list}) t(v)`)
    expect(JSON.parse(bytes.toString().replaceAll(/\[([^[\]]+)\]/g, '["$1"]'))).toEqual(
      all.map((value) => [JSON.stringify(value)]),
    )
  })

  test('any text is read back as it was', async () => {
    const texts = fc
      .sample(fc.string({ unit: 'binary' }), { numRuns: 2_000, seed: 2 })
      .filter((text) => !text.includes('\0'))
    const list = texts.map((text) => `('${text.replaceAll("'", "''")}')`).join(', ')
    const sql = `SELECT v || '' AS v FROM (VALUES ${list}) t(v)`
    expect(JSON.parse((await bytesOf(jsonRows, sql)).toString())).toEqual(texts.map((text) => [text]))
  })
})

describe('CSV', () => {
  test.each(TYPES)('%s is as in JSON, without its quotes', async (type, values) => {
    const sql = selectOf(type, values)
    const cells = (await valuesOf(sql)).map(([value]) => cellOf(value))
    expect((await bytesOf(csvRows, sql)).toString()).toBe(
      ['v', ...cells].map((cell) => `${cell}\r\n`).join(''),
    )
  })

  function cellOf(value: unknown): string {
    if (value === null) return ''
    const text = String(value)
    return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
})

describe('pages', () => {
  /** More than a row group, written by several threads. */
  const MANY = `SELECT i AS n, 'text ' || i AS s, i % 3 = 0 AS b, CASE WHEN i % 5 > 0 THEN i / 7 END AS d, [i, NULL] AS l FROM range(300000) t(i)`

  test('are the rows in their order, in every format', async () => {
    const expected = Array.from({ length: 300_000 }, (_, i) => i)
    const json = JSON.parse((await bytesOf(jsonRows, MANY)).toString()) as [
      number,
      string,
      boolean,
      number | null,
    ][]
    expect(json.map(([n]) => n)).toEqual(expected)
    expect(
      json.every(
        ([n, s, b, d]) => s === `text ${n}` && b === (n % 3 === 0) && d === (n % 5 > 0 ? n / 7 : null),
      ),
    ).toBe(true)
    const csv = (await bytesOf(csvRows, MANY)).toString().split('\r\n')
    expect(csv.slice(1, -1).map((line) => Number(line.split(',')[0]))).toEqual(expected)
    const arrow = tableFromIPC(await bytesOf(arrowRows, MANY))
    expect([...(arrow.getChild('n') as Iterable<number>)]).toEqual(expected)
    expect([...(arrow.getChild('s') as Iterable<string>)].every((s, i) => s === `text ${i}`)).toBe(true)
    expect([...(arrow.getChild('b') as Iterable<boolean>)].every((b, i) => b === (i % 3 === 0))).toBe(true)
    expect(
      [...(arrow.getChild('d') as Iterable<number>)].every((d, i) => d === (i % 5 > 0 ? i / 7 : null)),
    ).toBe(true)
  })

  test('hold fewer rows where rows are wide', async () => {
    const sizes: number[] = []
    const wide = `SELECT repeat('x', 1000000) AS s FROM range(150)`
    const spied: RowEncoder = async function* (answer) {
      for await (const bytes of csvRows(answer)) {
        sizes.push(bytes.byteLength)
        yield bytes
      }
    }
    expect((await bytesOf(spied, wide)).byteLength).toBe(3 + 150 * 1_000_002)
    expect(Math.max(...sizes.slice(2))).toBeLessThan(5 * 1024 * 1024)
  })

  test('no rows are only what goes around them', async () => {
    expect((await bytesOf(jsonRows, 'SELECT 1 AS a WHERE false')).toString()).toBe('[]')
    expect((await bytesOf(csvRows, 'SELECT 1 AS a WHERE false')).toString()).toBe('a\r\n')
  })
})

describe('Arrow', () => {
  const options = { useBigInt: true, useDecimalInt: true, useBigIntTimestamp: true } as const
  test.each([
    ['BOOLEAN', 'true|false', [true, false]],
    ['TINYINT', '-128|127', [-128, 127]],
    ['USMALLINT', '65535', [65_535]],
    ['INTEGER', '-2147483648|0', [-2_147_483_648, 0]],
    ['BIGINT', '9007199254740993|-1', [9_007_199_254_740_993n, -1n]],
    ['UBIGINT', '18446744073709551615', [18_446_744_073_709_551_615n]],
    ['HUGEINT', '99999999999999999999999999999999999999|-12', [10n ** 38n - 1n, -12n]],
    ['FLOAT', '0.5|NaN', [0.5, Number.NaN]],
    ['DOUBLE', '0.1|-inf', [0.1, Number.NEGATIVE_INFINITY]],
    ['DECIMAL(4, 2)', '12.50|-0.01', [1_250n, -1n]],
    ['DECIMAL(9, 3)', '123456.789', [123_456_789n]],
    ['DECIMAL(18, 6)', '-123456789012.345678', [-123_456_789_012_345_678n]],
    [
      'DECIMAL(38, 10)',
      '1234567890123456789012345678.0123456789',
      [12_345_678_901_234_567_890_123_456_780_123_456_789n],
    ],
    ['VARCHAR', 'a||é€😀', ['a', '', 'é€😀']],
    ['DATE', '1970-01-03|1969-12-31', [172_800_000, -86_400_000]],
    ['TIMESTAMP', '1970-01-01 00:00:01.000001', [1_000_001n]],
    ['TIMESTAMPTZ', '1970-01-01 07:00:00+07', [0n]],
    ['TIME', '00:00:01.5', [1_500_000n]],
    ['INTERVAL', '1 month -3 days', ['1 month -3 days']],
    ['UUID', '00112233-4455-6677-8899-aabbccddeeff', ['00112233-4455-6677-8899-aabbccddeeff']],
    [`ENUM('x', 'y')`, 'y|x', ['y', 'x']],
    ['BLOB', '\\x00\\xFF', [Buffer.of(0, 255)]],
  ])('%s is exact, NULL too', async (type, values, expected) => {
    const table = tableFromIPC(await bytesOf(arrowRows, selectOf(type, values)), options)
    expect([...(table.getChild('v') as Iterable<unknown>)]).toEqual([...expected, null])
    expect(table.getChild('v').nullCount).toBe(1)
  })
})
