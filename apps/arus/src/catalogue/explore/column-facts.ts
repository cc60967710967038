import type { DuckDBConnection } from '@duckdb/node-api'
import type { ColumnFacts, ColumnType, Histogram, Statistics } from './report.ts'
import { asRows, sqlName } from './rows.ts'

const TOP_COUNT = 5
const TOP_LENGTH_MAX = 80
const BIN_COUNT = 20
/** From this many times the median up to the maximum, bins are logarithmic. */
const FAR_REACH = 50

/** Everything about one column, in two or three passes over it alone. */
export async function columnFacts(
  connection: DuckDBConnection,
  relation: string,
  name: string,
  rows: number,
): Promise<ColumnFacts> {
  const column = sqlName(name)
  const [shape] = await asRows(
    connection,
    `SELECT count(${column})::INTEGER AS present, count(CASE WHEN ${column} NOT LIKE '%.%' AND lower(${column}) NOT LIKE '%e%' THEN try_cast(${column} AS BIGINT) END)::INTEGER AS integers,
       count(CASE WHEN isfinite(try_cast(${column} AS DOUBLE)) THEN 1 END)::INTEGER AS decimals,
       count(CASE WHEN lower(${column}) IN ('true', 'false') THEN 1 END)::INTEGER AS booleans,
       min(length(${column}))::INTEGER AS shortest, max(length(${column}))::INTEGER AS longest FROM ${relation}`,
  )
  const present = Number(shape?.present)
  const type = present === 0 ? 'empty' : await typeOf(connection, relation, column, shape ?? {})
  const isNumber = type === 'integer' || type === 'decimal'
  const statistics = isNumber ? await statisticsOf(connection, relation, column) : null
  const frequent = await asRows(
    connection,
    `WITH counted AS (SELECT ${column} AS value, count(*) AS n FROM ${relation} WHERE ${column} IS NOT NULL GROUP BY 1)
     SELECT value, n::INTEGER AS n, (SELECT count(*)::INTEGER FROM counted) AS distinct_count FROM counted ORDER BY n DESC, value LIMIT ${TOP_COUNT}`,
  )
  return {
    name,
    type,
    missing: rows - present,
    missing_share: (rows - present) / rows,
    distinct: Number(frequent[0]?.distinct_count ?? 0),
    top: frequent.map(({ value, n }) => ({
      value: String(value).slice(0, TOP_LENGTH_MAX),
      count: Number(n),
    })),
    length: present === 0 ? null : { min: Number(shape?.shortest), max: Number(shape?.longest) },
    statistics,
    histogram: statistics === null ? null : await histogramOf(connection, relation, column, statistics),
  }
}

async function typeOf(
  connection: DuckDBConnection,
  relation: string,
  column: string,
  shape: Record<string, unknown>,
): Promise<ColumnType> {
  if (shape.integers === shape.present) return 'integer'
  if (shape.decimals === shape.present) return 'decimal'
  if (shape.booleans === shape.present) return 'boolean'
  // Only what looks like a date at all is tried as one.
  const [first] = await asRows(
    connection,
    `SELECT count(*)::INTEGER AS n FROM (SELECT ${column} AS v FROM ${relation} WHERE ${column} IS NOT NULL LIMIT 100) WHERE try_cast(v AS TIMESTAMP) IS NULL`,
  )
  if (Number(first?.n) > 0) return 'text'
  const [all] = await asRows(
    connection,
    `SELECT count(*)::INTEGER AS n FROM ${relation} WHERE ${column} IS NOT NULL AND try_cast(${column} AS TIMESTAMP) IS NULL`,
  )
  return Number(all?.n) === 0 ? 'timestamp' : 'text'
}

async function statisticsOf(
  connection: DuckDBConnection,
  relation: string,
  column: string,
): Promise<Statistics> {
  const [row] = await asRows(
    connection,
    `SELECT count(v)::INTEGER AS count, avg(v) AS mean, stddev_samp(v) AS std, min(v) AS min, max(v) AS max, sum(v) AS sum,
       quantile_cont(v, [0.25, 0.5, 0.75]) AS quartiles, count(CASE WHEN v = 0 THEN 1 END)::INTEGER AS zeros
     FROM (SELECT CAST(${column} AS DOUBLE) AS v FROM ${relation} WHERE ${column} IS NOT NULL)`,
  )
  const [q25, median, q75] = (row?.quartiles ?? []) as number[]
  const number = (value: unknown) => Number(value)
  return {
    count: number(row?.count),
    mean: number(row?.mean),
    std: row?.std === null ? null : number(row?.std),
    min: number(row?.min),
    q25: number(q25),
    median: number(median),
    q75: number(q75),
    max: number(row?.max),
    sum: number(row?.sum),
    zeros: number(row?.zeros),
  }
}

async function histogramOf(
  connection: DuckDBConnection,
  relation: string,
  column: string,
  { min, max, median }: Statistics,
): Promise<Histogram> {
  const isFar = min >= 0 && max > FAR_REACH * Math.max(median, 1)
  // ln(1 + x), so that zero has a place.
  const [low, high] = isFar ? [Math.log1p(min), Math.log1p(max)] : [min, max]
  const width = (high - low) / BIN_COUNT || 1
  const position = isFar ? 'ln(1 + v)' : 'v'
  const rows = await asRows(
    connection,
    `SELECT greatest(0, least(${BIN_COUNT - 1}, floor((${position} - ${low}) / ${width})))::INTEGER AS bin, count(*)::INTEGER AS n
     FROM (SELECT CAST(${column} AS DOUBLE) AS v FROM ${relation} WHERE ${column} IS NOT NULL) GROUP BY 1`,
  )
  const counts = new Map(rows.map(({ bin, n }) => [Number(bin), Number(n)]))
  const edge = (n: number) => (isFar ? Math.expm1(low + n * width) : low + n * width)
  return {
    scale: isFar ? 'logarithmic' : 'linear',
    bins: Array.from({ length: BIN_COUNT }, (_, n) => ({
      from: edge(n),
      to: edge(n + 1),
      count: counts.get(n) ?? 0,
    })),
  }
}
