import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { differenceOf } from './compare-rows.ts'

let connection: DuckDBConnection
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`SET TimeZone = 'UTC'`)
})
afterAll(() => connection.closeSync())

const difference = (actual: string, expected: string) =>
  differenceOf(connection, `(${actual})`, `(${expected})`)

describe('rows are the same', () => {
  test.each([
    ['in another order', 'SELECT unnest([1, 2, 2]) AS a', 'SELECT unnest([2, 1, 2]) AS a'],
    ['with columns in another order and case', 'SELECT 1 AS a, 2 AS b', 'SELECT 2 AS B, 1 AS a'],
    ['with NaN', `SELECT 'nan'::DOUBLE AS a`, `SELECT '-nan'::DOUBLE AS a`],
    [
      'with nulls at each level',
      'SELECT {x: NULL::INT} AS a, [NULL::INT] AS b',
      'SELECT {x: NULL::INT} AS a, [NULL::INT] AS b',
    ],
    [
      'with maps in another order',
      `SELECT MAP {'a': [1.5::FLOAT], 'b': NULL} AS m`,
      `SELECT MAP {'b': NULL, 'a': [1.5::FLOAT]} AS m`,
    ],
    [
      'with variants, said to be one or not',
      `SELECT '{"k":0}'::JSON::VARIANT AS a`,
      `SELECT {value: '\\x02\\x01\\x00\\x00\\x02\\x0C\\x00'::BLOB, metadata: '\\x01\\x01\\x00\\x01k'::BLOB} AS a`,
    ],
    [
      'with timestamps in another unit',
      `SELECT '2020-01-01'::TIMESTAMP_NS AS a`,
      `SELECT '2020-01-01'::TIMESTAMP AS a`,
    ],
    ['without any', 'SELECT 1 AS a WHERE false', 'SELECT 2 AS a WHERE false'],
  ])('%s', async (_, actual, expected) => {
    expect(await difference(actual, expected)).toBeNull()
  })
})

test('INT96 of an expected file is an instant, though DuckDB does not see that', async () => {
  const sides = [
    `(SELECT TIMESTAMPTZ '2020-01-01 00:00:00+00' AS a)`,
    `(SELECT TIMESTAMP '2020-01-01' AS a)`,
  ] as const
  expect(await differenceOf(connection, ...sides, { hasInt96: true })).toBeNull()
  expect(await differenceOf(connection, ...sides)).toContain('column a must be TIMESTAMP')
})

describe('rows differ', () => {
  test.each([
    [
      'by how often they occur',
      'SELECT unnest([1, 2]) AS a',
      'SELECT unnest([1, 2, 2]) AS a',
      'missing 1 rows, such as {"a":2}',
    ],
    [
      'by one too many',
      'SELECT unnest([1, 2]) AS a',
      'SELECT 1 AS a',
      'not expected 1 rows, such as {"a":2}',
    ],
    [
      'by the sign of zero',
      `SELECT '-0'::DOUBLE AS a`,
      `SELECT '0'::DOUBLE AS a`,
      'missing 1 rows, such as {"a":"0.0"}; not expected 1 rows, such as {"a":"-0.0"}',
    ],
    [
      'by a null struct against a struct of nulls',
      'SELECT NULL::STRUCT(x INT) AS a',
      'SELECT {x: NULL::INT} AS a',
      'missing 1 rows',
    ],
    [
      'by a null list against an empty one',
      'SELECT NULL::INT[] AS a',
      'SELECT []::INT[] AS a',
      'missing 1 rows',
    ],
    [
      'by a null map against an empty one',
      'SELECT NULL::MAP(INT, INT) AS a',
      'SELECT MAP {}::MAP(INT, INT) AS a',
      'missing 1 rows',
    ],
    [
      'by an instant',
      `SELECT TIMESTAMPTZ '2020-01-01 00:00:00+01' AS a`,
      `SELECT TIMESTAMPTZ '2020-01-01 00:00:00+00' AS a`,
      'missing 1 rows',
    ],
    ['by type', 'SELECT 1::BIGINT AS a', 'SELECT 1::INTEGER AS a', 'column a must be INTEGER, but is BIGINT'],
    [
      'by a time zone',
      'SELECT now()::TIMESTAMP AS a',
      'SELECT now() AS a',
      'column a must be TIMESTAMP WITH TIME ZONE, but is TIMESTAMP',
    ],
    [
      'by a nested type',
      'SELECT [{x: 1::DECIMAL(5,2)}] AS a',
      'SELECT [{x: 1::DECIMAL(6,2)}] AS a',
      'column a[].x must be DECIMAL(6,2), but is DECIMAL(5,2)',
    ],
    [
      'by a column',
      'SELECT 1 AS a, 2 AS b',
      'SELECT 1 AS a, 2 AS c',
      'columns differ; missing: c; not expected: b',
    ],
    [
      'by a nested field',
      'SELECT {x: 1} AS a',
      'SELECT {x: 1, y: 2} AS a',
      'fields of a differ; missing: y; not expected: none',
    ],
  ])('%s', async (_, actual, expected, message) => {
    expect(await difference(actual, expected)).toContain(message)
  })
})
