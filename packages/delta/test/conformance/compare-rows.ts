import type { DuckDBConnection } from '@duckdb/node-api'
import {
  type ComparableColumns,
  type CompareOptions,
  comparableColumns,
  type QueryColumn,
} from './comparable-columns.ts'

/** Rows of each kind that a message shows. */
const SAMPLE_ROWS = 3
const SAMPLE_LENGTH_MAX = 400

/**
 * What tells the rows of two relations (text for SQL's FROM) apart; null when they hold the same rows, each as often, in
 * whatever order. The connection must be set to UTC.
 */
export async function differenceOf(
  connection: DuckDBConnection,
  actual: string,
  expected: string,
  options: CompareOptions = {},
): Promise<string | null> {
  const [left, right] = [await columnsOf(connection, actual), await columnsOf(connection, expected)]
  const sides = comparableColumns(left, right, options)
  if (sides.kind === 'different') return sides.reason
  await connection.run(`CREATE OR REPLACE TEMP TABLE difference AS ${differenceSql(sides, actual, expected)}`)
  const missing = await sampleOf(connection, sides, 'surplus < 0')
  const unexpected = await sampleOf(connection, sides, 'surplus > 0')
  const parts = [missing && `missing ${missing}`, unexpected && `not expected ${unexpected}`]
  return parts.filter(Boolean).join('; ') || null
}

/** Names and types of a relation's columns. */
export async function columnsOf(connection: DuckDBConnection, relation: string): Promise<QueryColumn[]> {
  const result = await connection.run(`SELECT * FROM ${relation} LIMIT 0`)
  const types = result.columnTypes()
  return result.columnNames().map((name, i) => ({ name, type: types[i]! }))
}

type Comparable = Extract<ComparableColumns, { kind: 'comparable' }>

/** Each distinct row with how much more often `actual` has it than `expected`, where that is not 0. */
function differenceSql({ columns }: Comparable, actual: string, expected: string): string {
  const side = (name: 'actual' | 'expected') =>
    columns.map((column, i) => `${column[name]} AS c${i}`).join(', ')
  return `SELECT * EXCLUDE (side), sum(side) AS surplus FROM (
    SELECT ${side('actual')}, 1 AS side FROM ${actual} UNION ALL SELECT ${side('expected')}, -1 AS side FROM ${expected}
  ) GROUP BY ALL HAVING sum(side) <> 0`
}

/** "2 rows, such as {…}", or null when there are none. */
async function sampleOf(
  connection: DuckDBConnection,
  { columns }: Comparable,
  where: string,
): Promise<string | null> {
  const counted = await connection.runAndReadAll(
    `SELECT sum(abs(surplus))::BIGINT AS n FROM difference WHERE ${where}`,
  )
  const count = counted.getRowObjectsJson()[0]?.n
  if (count === null || count === undefined) return null
  const rows = await connection.runAndReadAll(
    `SELECT * EXCLUDE (surplus) FROM difference WHERE ${where} ORDER BY ALL LIMIT ${SAMPLE_ROWS}`,
  )
  const sample = rows
    .getRowsJson()
    .map((row) => JSON.stringify(Object.fromEntries(row.map((value, i) => [columns[i]?.name, value]))))
  return `${count} rows, such as ${sample.join(' ').slice(0, SAMPLE_LENGTH_MAX)}`
}
