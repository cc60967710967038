import {
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api'
import { sqlName, sqlText } from '../../src/duckdb/index.ts'

/** A column as a query gives it. */
export interface QueryColumn {
  readonly name: string
  readonly type: DuckDBType
}

/** A pair of expressions, equal in SQL exactly when the values are. */
interface ComparablePair {
  readonly actual: string
  readonly expected: string
}

/** The columns of two relations side by side, or what keeps them from being compared. */
export type ComparableColumns =
  | { readonly kind: 'comparable'; readonly columns: readonly (ComparablePair & { readonly name: string })[] }
  | { readonly kind: 'different'; readonly reason: string }

export interface CompareOptions {
  /** The expected files write instants as INT96, which says nothing of the time zone. */
  readonly hasInt96?: boolean
}

/** What the walk through two types needs to know of where it is. */
interface Place {
  readonly options: CompareOptions
  /** For messages: the column, and the way into it. */
  readonly path: string
  /** How many lambdas are around, to name the next. */
  readonly depth: number
}

class TypesDiffer extends Error {}

/**
 * Matches columns and struct fields by name, whatever their order and case, and asks for the same types. Floats are
 * compared by their shortest text, so that NaN is NaN and −0 is not 0; maps as sorted lists of entries; variants by the
 * JSON they stand for.
 */
export function comparableColumns(
  actual: readonly QueryColumn[],
  expected: readonly QueryColumn[],
  options: CompareOptions = {},
): ComparableColumns {
  try {
    const pairs = pairsByName(actual, expected, 'columns').map(([left, right]) => ({
      name: right.name,
      ...comparable(
        { ...left, sql: sqlName(left.name) },
        { ...right, sql: sqlName(right.name) },
        { path: right.name, depth: 0, options },
      ),
    }))
    return { kind: 'comparable', columns: pairs }
  } catch (error) {
    if (error instanceof TypesDiffer) return { kind: 'different', reason: error.message }
    throw error
  }
}

interface Expression {
  readonly type: DuckDBType
  readonly sql: string
}

function comparable(actual: Expression, expected: Expression, place: Place): ComparablePair {
  const [left, right] = [actual.type, expected.type]
  if (left instanceof DuckDBStructType && right instanceof DuckDBStructType) {
    return structPair({ type: left, sql: actual.sql }, { type: right, sql: expected.sql }, place)
  }
  if (left instanceof DuckDBListType && right instanceof DuckDBListType) {
    return listPair(actual.sql, expected.sql, [left.valueType, right.valueType], place)
  }
  if (left instanceof DuckDBMapType && right instanceof DuckDBMapType) {
    const entries = listPair(
      `map_entries(${actual.sql})`,
      `map_entries(${expected.sql})`,
      [entryOf(left), entryOf(right)],
      place,
    )
    return { actual: `list_sort(${entries.actual})`, expected: `list_sort(${entries.expected})` }
  }
  if (place.options.hasInt96 && left.typeId === DuckDBTypeId.TIMESTAMP_TZ && isTimestamp(right)) {
    return { actual: actual.sql, expected: `CAST(${expected.sql} AS TIMESTAMPTZ)` }
  }
  if (left.typeId === DuckDBTypeId.VARIANT && isPlainVariant(right)) {
    const { sql } = expected
    return {
      actual: jsonText(actual.sql),
      expected: jsonText(`variant_bytes_to_variant(${sql}.metadata || ${sql}.value)`),
    }
  }
  if (nameOf(left) !== nameOf(right)) {
    throw new TypesDiffer(`column ${place.path} must be ${right}, but is ${left}`)
  }
  return { actual: scalar(left, actual.sql), expected: scalar(right, expected.sql) }
}

function structPair(
  actual: { readonly type: DuckDBStructType; readonly sql: string },
  expected: { readonly type: DuckDBStructType; readonly sql: string },
  { path, depth, options }: Place,
): ComparablePair {
  const fields = pairsByName(fieldsOf(actual.type), fieldsOf(expected.type), `fields of ${path}`)
  const pairs = fields.map(([left, right], i) => {
    const pair = comparable(
      { type: left.type, sql: `struct_extract(${actual.sql}, ${sqlText(left.name)})` },
      { type: right.type, sql: `struct_extract(${expected.sql}, ${sqlText(right.name)})` },
      { path: `${path}.${right.name}`, depth, options },
    )
    return { actual: `f${i} := ${pair.actual}`, expected: `f${i} := ${pair.expected}` }
  })
  const packed = (sql: string, parts: readonly string[]) =>
    `CASE WHEN ${sql} IS NOT NULL THEN struct_pack(${parts.join(', ')}) END`
  return {
    actual: packed(
      actual.sql,
      pairs.map((pair) => pair.actual),
    ),
    expected: packed(
      expected.sql,
      pairs.map((pair) => pair.expected),
    ),
  }
}

function listPair(
  actual: string,
  expected: string,
  [left, right]: readonly [DuckDBType, DuckDBType],
  { path, depth, options }: Place,
): ComparablePair {
  const element = `e${depth}`
  const pair = comparable(
    { type: left, sql: element },
    { type: right, sql: element },
    { path: `${path}[]`, depth: depth + 1, options },
  )
  return {
    actual: `list_transform(${actual}, lambda ${element}: ${pair.actual})`,
    expected: `list_transform(${expected}, lambda ${element}: ${pair.expected})`,
  }
}

function scalar(type: DuckDBType, sql: string): string {
  switch (type.typeId) {
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return `CASE WHEN isnan(${sql}) THEN 'nan' ELSE CAST(${sql} AS VARCHAR) END`
    case DuckDBTypeId.VARIANT:
      return jsonText(sql)
    default:
      return isTimestamp(type) ? `CAST(${sql} AS TIMESTAMP)` : sql
  }
}

function jsonText(sql: string): string {
  return `CAST(CAST(${sql} AS JSON) AS VARCHAR)`
}

/** A variant in a Parquet file that does not say it is one. */
function isPlainVariant(type: DuckDBType): boolean {
  return /^STRUCT\((value BLOB, metadata BLOB|metadata BLOB, value BLOB)\)$/.test(
    String(type).replaceAll('"', ''),
  )
}

/** Delta's timestamps without time zone count microseconds, however finely a Parquet file writes them. */
function isTimestamp({ typeId }: DuckDBType): boolean {
  return (
    typeId === DuckDBTypeId.TIMESTAMP ||
    typeId === DuckDBTypeId.TIMESTAMP_S ||
    typeId === DuckDBTypeId.TIMESTAMP_MS ||
    typeId === DuckDBTypeId.TIMESTAMP_NS
  )
}

function nameOf(type: DuckDBType): string {
  return isTimestamp(type) ? 'TIMESTAMP' : String(type)
}

function entryOf(type: DuckDBMapType): DuckDBStructType {
  return new DuckDBStructType(['key', 'value'], [type.keyType, type.valueType])
}

function fieldsOf(type: DuckDBStructType): QueryColumn[] {
  return type.entryNames.map((name, i) => ({ name, type: type.entryTypes[i]! }))
}

function pairsByName(
  actual: readonly QueryColumn[],
  expected: readonly QueryColumn[],
  what: string,
): [QueryColumn, QueryColumn][] {
  const byName = new Map(actual.map((column) => [column.name.toLowerCase(), column]))
  const missing = expected.filter(({ name }) => !byName.has(name.toLowerCase()))
  const names = new Set(expected.map(({ name }) => name.toLowerCase()))
  const extra = actual.filter(({ name }) => !names.has(name.toLowerCase()))
  if (missing.length > 0 || extra.length > 0) {
    throw new TypesDiffer(`${what} differ; missing: ${listOf(missing)}; not expected: ${listOf(extra)}`)
  }
  return expected.map((column) => [byName.get(column.name.toLowerCase())!, column])
}

function listOf(columns: readonly QueryColumn[]): string {
  return columns.map(({ name }) => name).join(', ') || 'none'
}
