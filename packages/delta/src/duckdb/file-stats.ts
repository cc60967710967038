import { type ColumnMappingMode, physicalName } from '../column-mapping.ts'
import { decimalOf, type PrimitiveType, type StructType } from '../schema.ts'
import { sqlName } from './sql-types.ts'

/** Longest string whose bounds are written; longer ones would have to be cut and rounded up. */
const STRING_LENGTH_MAX = 64

/** What DuckDB's `RETURN_STATS` says of one column of one file; all values as text. */
export type ColumnStatistics = Readonly<Record<string, string>>

/** What DuckDB's `RETURN_STATS` says of a file: by the quoted names on the way to a column, `"a"."b"`. */
export type ColumnsStatistics = ReadonlyMap<string, ColumnStatistics>

/**
 * Delta's `stats` of a file (Protocol, "Per-file Statistics") from DuckDB's, as JSON. Integers and decimals keep all their
 * digits, which a JavaScript number would not. Fields within structs are there, those within arrays and maps are not.
 * Bounds that could be wrong for a reader are left out: floats with NaN, long strings, booleans. Timestamps are cut to
 * milliseconds, the upper bound rounded up.
 */
export function statsOf(
  schema: StructType,
  rowCount: number,
  { columns, mode }: { readonly columns: ColumnsStatistics; readonly mode: ColumnMappingMode },
): string {
  const { minValues, maxValues, nullCount } = factsOf(schema, '', { columns, mode })
  return `{"numRecords":${rowCount},"minValues":{${minValues}},"maxValues":{${maxValues}},"nullCount":{${nullCount}}}`
}

/** Members of JSON objects. */
interface Facts {
  readonly minValues: string[]
  readonly maxValues: string[]
  readonly nullCount: string[]
}

const KINDS = ['minValues', 'maxValues', 'nullCount'] as const

function factsOf(
  { fields }: StructType,
  above: string,
  source: { readonly columns: ColumnsStatistics; readonly mode: ColumnMappingMode },
): Facts {
  const facts: Facts = { minValues: [], maxValues: [], nullCount: [] }
  for (const field of fields) {
    const name = physicalName(field, source.mode)
    const path = `${above}${sqlName(name)}`
    const own = typeof field.type === 'string' ? factsOfColumn(field.type, source.columns.get(path)) : null
    const within =
      typeof field.type === 'object' && field.type.type === 'struct'
        ? factsOf(field.type, `${path}.`, source)
        : null
    for (const kind of KINDS) {
      if (own?.[kind] !== undefined) facts[kind].push(`${JSON.stringify(name)}:${own[kind]}`)
      if (within && within[kind].length > 0) facts[kind].push(`${JSON.stringify(name)}:{${within[kind]}}`)
    }
  }
  return facts
}

/** Values as JSON. */
function factsOfColumn(
  type: PrimitiveType,
  statistics: ColumnStatistics | undefined,
): { readonly [kind in keyof Facts]?: string } {
  if (statistics === undefined) return {}
  const { min, max, null_count: nullCount, has_nan: hasNan } = statistics
  const counted = nullCount === undefined ? {} : { nullCount: String(Number(nullCount)) }
  if (min === undefined || max === undefined || hasNan === 'true') return counted
  const bounds = boundsOf(type, min, max)
  return bounds === null ? counted : { ...counted, minValues: bounds[0], maxValues: bounds[1] }
}

function boundsOf(type: PrimitiveType, min: string, max: string): readonly [string, string] | null {
  switch (type) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return digitsOf(min, max)
    case 'float':
    case 'double':
      return Number.isFinite(Number(min)) && Number.isFinite(Number(max))
        ? [JSON.stringify(Number(min)), JSON.stringify(Number(max))]
        : null
    case 'date':
      return [JSON.stringify(min), JSON.stringify(max)]
    case 'timestamp':
      return [JSON.stringify(isoMs(min, Math.floor)), JSON.stringify(isoMs(max, Math.ceil))]
    case 'timestamp_ntz':
      return [JSON.stringify(localMs(min, Math.floor)), JSON.stringify(localMs(max, Math.ceil))]
    case 'string':
      return min.length <= STRING_LENGTH_MAX && max.length <= STRING_LENGTH_MAX
        ? [JSON.stringify(min), JSON.stringify(max)]
        : null
    default:
      return decimalOf(type) ? digitsOf(min, max) : null
  }
}

/** Numbers whose text is the same in JSON. */
function digitsOf(min: string, max: string): readonly [string, string] | null {
  const isNumber = (text: string) => /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)
  return isNumber(min) && isNumber(max) ? [min, max] : null
}

/** "2026-11-24 10:44:29.709759+00" → "2026-11-24T10:44:29.709Z", or the millisecond after. */
function isoMs(text: string, round: (value: number) => number): string {
  const [, seconds = text, fraction = ''] = /^(.*?)(\.\d+)?(?:\+00)?$/.exec(text) ?? []
  const ms = Date.parse(`${seconds.replace(' ', 'T')}Z`) + round((Number(`0${fraction}`) * 1e6) / 1e3)
  return new Date(ms).toISOString()
}

/** The same of a time without a zone, "2026-11-24T10:44:29.709": Spark reads no other text for it. */
function localMs(text: string, round: (value: number) => number): string {
  return isoMs(text, round).slice(0, -1)
}
