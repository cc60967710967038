import type { AddFile } from './actions.ts'
import { columnMappingMode, physicalName } from './column-mapping.ts'
import { DeltaError } from './errors.ts'
import { partitionColumnsOf, partitionValue } from './partition-values.ts'
import { type DataType, decimalOf, type StructField, type StructType } from './schema.ts'
import type { Snapshot } from './snapshot.ts'
import { type FileStatistics, parseStatistics } from './statistics.ts'
import { fieldNamed } from './type-assignment.ts'

/** A value to compare with; timestamps as a Date or ISO 8601 text, dates as `YYYY-MM-DD`. */
export type FilterValue = string | number | bigint | boolean | Date

/**
 * One condition on a column, or on a field within structs as `column.field`; a list of them must all hold. A null satisfies
 * none but `is null`.
 */
export type Filter =
  | { readonly column: string; readonly op: '=' | '<' | '<=' | '>' | '>='; readonly value: FilterValue }
  | { readonly column: string; readonly op: 'in'; readonly values: readonly FilterValue[] }
  | { readonly column: string; readonly op: 'is null' | 'is not null' }

/** What may be compared by `<`; null where values of a type cannot be. */
type Comparable = number | bigint | Buffer

/**
 * A test on files: false when no row of the file can satisfy all filters, by its partition values or its statistics.
 * True may be wrong (the file must then be read), false never is. Throws `DELTA_VALUE_INVALID` for a column that is not
 * there or a value that is not of its type.
 */
export function fileFilter(snapshot: Snapshot, filters: readonly Filter[]): (file: AddFile) => boolean {
  const mode = columnMappingMode(snapshot.metadata)
  const partitions = new Map(partitionColumnsOf(snapshot).map((column) => [column.field, column]))
  const tests = filters.map((filter) => {
    const path = pathOf(snapshot, filter.column)
    const field = path.at(-1) as StructField
    const partition = partitions.get(field)
    const range = rangeOf(filter, field)
    if (partition)
      return (file: AddFile) =>
        mayMatch(exactly(partitionValue(file.partitionValues, partition), field), range)
    const names = path.map((each) => physicalName(each, mode))
    return (_: AddFile, stats: FileStatistics) => mayMatch(boundsOf(stats, names, field.type), range)
  })
  const needsStatistics = !isPartitionFilter(snapshot, filters)
  return (file) => {
    const stats = needsStatistics ? parseStatistics(file) : {}
    return tests.every((test) => test(file, stats))
  }
}

/** True when every filter is on a partition column, so that files match as a whole or not at all. */
export function isPartitionFilter(snapshot: Snapshot, filters: readonly Filter[]): boolean {
  const partitions = new Set(partitionColumnsOf(snapshot).map(({ field }) => field))
  return filters.every((filter) => {
    const field = pathOf(snapshot, filter.column).at(-1)
    return field !== undefined && partitions.has(field)
  })
}

/** What is known of a file's values of a column. */
interface Bounds {
  readonly low: Comparable | null
  readonly high: Comparable | null
  /** Null when it is not known. */
  readonly hasNulls: boolean | null
  readonly hasValues: boolean | null
}

interface Range {
  readonly ranges: readonly { readonly low: Comparable | null; readonly high: Comparable | null }[]
  readonly wants: 'values' | 'nulls'
}

function mayMatch(bounds: Bounds, range: Range): boolean {
  if (range.wants === 'nulls') return bounds.hasNulls !== false
  if (bounds.hasValues === false) return false
  return range.ranges.some(
    ({ low, high }) =>
      (low === null || bounds.high === null || compare(low, bounds.high) <= 0) &&
      (high === null || bounds.low === null || compare(bounds.low, high) <= 0),
  )
}

/** Strict comparisons are loosened: bounds may be rounded. */
function rangeOf(filter: Filter, field: StructField): Range {
  const bound = (value: FilterValue) => comparable(value, field)
  switch (filter.op) {
    case 'is null':
      return { ranges: [], wants: 'nulls' }
    case 'is not null':
      return { ranges: [{ low: null, high: null }], wants: 'values' }
    case 'in':
      return {
        ranges: filter.values.map((value) => point(bound(value), field.type)),
        wants: 'values',
      }
    case '=':
      return { ranges: [point(bound(filter.value), field.type)], wants: 'values' }
    case '<':
    case '<=':
      return { ranges: [{ low: null, high: point(bound(filter.value), field.type).high }], wants: 'values' }
    default:
      return { ranges: [{ low: point(bound(filter.value), field.type).low, high: null }], wants: 'values' }
  }
}

/** A value, and where single precision may put it. */
function point(value: Comparable, type: DataType) {
  return { low: rounded(value, type, Math.min), high: rounded(value, type, Math.max) }
}

function exactly(value: string | null, field: StructField): Bounds {
  if (value === null) return { low: null, high: null, hasNulls: true, hasValues: false }
  const known = parsed(value, field.type)
  return { low: known, high: known, hasNulls: false, hasValues: true }
}

function boundsOf(stats: FileStatistics, names: readonly string[], type: DataType): Bounds {
  const low = rounded(parsed(valueAt(stats.minValues, names), type), type, Math.min)
  const high = upper(rounded(parsed(valueAt(stats.maxValues, names), type), type, Math.max), type)
  const nulls = valueAt(stats.nullCount, names)
  const isKnown = typeof nulls === 'number' && typeof stats.numRecords === 'number'
  return {
    low,
    high,
    // Writers differ in whether a field of a struct that is null counts as null.
    hasNulls: isKnown && names.length === 1 ? nulls > 0 : null,
    hasValues: isKnown ? nulls < (stats.numRecords ?? 0) : null,
  }
}

/** The value of a field within objects; undefined where there is none. */
function valueAt(values: unknown, names: readonly string[]): unknown {
  let value = values
  for (const name of names) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value
}

/** Decimals of so many digits are told apart as doubles. */
const DOUBLE_DIGITS = 15
/** Two units in the last place of a double, and more. */
const DOUBLE_ERROR = 2 ** -50

/**
 * Bounds of single-precision values are written with fewer digits than the values have, in columns widened since too.
 * Decimals are compared as doubles, as which some writers write them: where that loses digits bounds are moved outwards.
 */
function rounded(
  value: Comparable | null,
  type: DataType,
  outermost: (...values: number[]) => number,
): Comparable | null {
  if (typeof value !== 'number') return value
  if (type === 'float' || type === 'double') return outermost(value, Math.fround(value))
  if ((decimalOf(type)?.precision ?? 0) <= DOUBLE_DIGITS) return value
  const error = Math.abs(value) * DOUBLE_ERROR
  return outermost(value - error, value + error)
}

/** Protocol, "Per-file Statistics": timestamps are cut to milliseconds, so that the largest may be one more. */
function upper(value: Comparable | null, type: DataType): Comparable | null {
  return typeof value === 'number' && (type === 'timestamp' || type === 'timestamp_ntz') ? value + 1 : value
}

function comparable(value: FilterValue, field: StructField): Comparable {
  const text = value instanceof Date ? value.toISOString() : value
  const known = parsed(typeof text === 'bigint' ? String(text) : text, field.type)
  if (known !== null) return known
  throw new DeltaError(
    'DELTA_VALUE_INVALID',
    `"${String(text)}" is no value of column ${field.name} of type ${JSON.stringify(field.type)} that files can be chosen by`,
  )
}

/** A value of the log or of a filter in comparable form; null when it has none or is not exact. */
function parsed(value: unknown, type: DataType): Comparable | null {
  if (value === null || value === undefined || typeof type !== 'string') return null
  switch (type) {
    case 'string':
      return typeof value === 'string' ? Buffer.from(value) : null
    case 'boolean':
      return value === true || value === 'true' ? 1 : value === false || value === 'false' ? 0 : null
    case 'date':
      return numberOr(Date.parse(`${String(value).slice(0, 10)}T00:00:00Z`))
    case 'timestamp':
    case 'timestamp_ntz':
      return instantOf(String(value))
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return integerOf(value)
    case 'float':
    case 'double':
      return numberOr(Number(value))
    default:
      return decimalOf(type) ? numberOr(Number(value)) : null
  }
}

/** Numbers of JSON beyond 2^53 have lost digits: they bound nothing. */
function integerOf(value: unknown): Comparable | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null
  return /^[+-]?\d+$/.test(String(value)) ? BigInt(String(value)) : null
}

/** Milliseconds of "2024-01-31 10:00:00.123456", with T and zone or without. */
function instantOf(text: string): number | null {
  const iso = text
    .trim()
    .replace(' ', 'T')
    .replace(/(\.\d{3})\d+/, '$1')
  const zoned = /(Z|[+-]\d{2}(:?\d{2})?)$/.test(iso.slice(10))
    ? iso
    : `${iso.length === 10 ? `${iso}T00:00:00` : iso}Z`
  return numberOr(Date.parse(zoned.replace(/([+-]\d{2})$/, '$1:00')))
}

function numberOr(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

function compare(a: Comparable, b: Comparable): number {
  if (a instanceof Buffer && b instanceof Buffer) return Buffer.compare(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

/** A column, or the fields on the way to one within structs. */
function pathOf({ schema }: Snapshot, name: string): readonly StructField[] {
  const path = pathWithin(schema, name)
  if (path) return path
  throw new DeltaError(
    'DELTA_VALUE_INVALID',
    `There is no column ${name}; there are ${schema.fields.map((one) => one.name).join(', ')}`,
  )
}

/** Names may have dots of their own. */
function pathWithin({ fields }: StructType, name: string): readonly StructField[] | null {
  const column = fieldNamed(fields, name)
  if (column) return [column]
  for (const field of fields) {
    const prefix = `${field.name}.`.toLowerCase()
    if (typeof field.type !== 'object' || field.type.type !== 'struct') continue
    const rest = name.toLowerCase().startsWith(prefix)
      ? pathWithin(field.type, name.slice(prefix.length))
      : null
    if (rest) return [field, ...rest]
  }
  return null
}
