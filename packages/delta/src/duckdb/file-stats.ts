import type { StructType } from '../schema.ts'

/** Longest string whose bounds are written; longer ones would have to be cut and rounded up. */
const STRING_LENGTH_MAX = 64

/** What DuckDB's `RETURN_STATS` says of one column of one file; all values as text. */
export type ColumnStatistics = Readonly<Record<string, string>>

/**
 * Delta's `stats` of a file (Protocol, "Per-file Statistics") from DuckDB's. Bounds that could be wrong for a reader
 * are left out: floats with NaN, long strings, nested columns, booleans. Timestamps are cut to milliseconds, the upper
 * bound rounded up.
 */
export function statsOf(
  schema: StructType,
  rowCount: number,
  columns: ReadonlyMap<string, ColumnStatistics>,
): Readonly<Record<string, unknown>> {
  const minValues: Record<string, unknown> = {}
  const maxValues: Record<string, unknown> = {}
  const nullCount: Record<string, number> = {}
  for (const { name, type } of schema.fields) {
    const statistics = columns.get(name)
    if (statistics === undefined || typeof type !== 'string') continue
    if (statistics.null_count !== undefined) nullCount[name] = Number(statistics.null_count)
    const { min, max } = statistics
    if (min === undefined || max === undefined || statistics.has_nan === 'true') continue
    const bounds = boundsOf(type, min, max)
    if (bounds === null) continue
    minValues[name] = bounds[0]
    maxValues[name] = bounds[1]
  }
  return { numRecords: rowCount, minValues, maxValues, nullCount }
}

function boundsOf(type: string, min: string, max: string): readonly [unknown, unknown] | null {
  switch (type) {
    case 'long':
      return Number.isSafeInteger(Number(min)) && Number.isSafeInteger(Number(max))
        ? [Number(min), Number(max)]
        : null
    case 'integer':
    case 'short':
    case 'byte':
    case 'float':
    case 'double':
      return Number.isFinite(Number(min)) && Number.isFinite(Number(max)) ? [Number(min), Number(max)] : null
    case 'date':
      return [min, max]
    case 'timestamp':
      return [isoMs(min, Math.floor), isoMs(max, Math.ceil)]
    case 'string':
      return min.length <= STRING_LENGTH_MAX && max.length <= STRING_LENGTH_MAX ? [min, max] : null
    default:
      return null
  }
}

/** "2026-11-24 10:44:29.709759+00" → "2026-11-24T10:44:29.709Z", or the millisecond after. */
function isoMs(text: string, round: (value: number) => number): string {
  const [, seconds = text, fraction = ''] = /^(.*?)(\.\d+)?\+00$/.exec(text) ?? []
  const ms = Date.parse(`${seconds.replace(' ', 'T')}Z`) + round((Number(`0${fraction}`) * 1e6) / 1e3)
  return new Date(ms).toISOString()
}
