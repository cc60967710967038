import {
  DuckDBArrayValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api'

/**
 * A value as JSON can hold it: instants as ISO 8601 in UTC with milliseconds, dates as YYYY-MM-DD, integers as numbers
 * where exact and as text beyond, NaN, infinities (of days and instants too) as null, other types as DuckDB writes them.
 */
export function jsonValue(value: DuckDBValue): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return instant(value)
  }
  if (value instanceof DuckDBDateValue) return value.isFinite ? value.toString() : null
  if (value instanceof DuckDBDecimalValue) return value.toDouble()
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(jsonValue)
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, field]) => [name, jsonValue(field)]))
  }
  if (value instanceof DuckDBMapValue)
    return value.entries.map(({ key, value: item }) => [jsonValue(key), jsonValue(item)])
  return String(value)
}

const MICROS_PER_MS = 1_000n

/** Cut to milliseconds, towards the past. */
function instant(value: DuckDBTimestampValue | DuckDBTimestampTZValue): string | null {
  if (!value.isFinite) return null
  const { micros } = value
  const beyondMs = ((micros % MICROS_PER_MS) + MICROS_PER_MS) % MICROS_PER_MS
  return new Date(Number((micros - beyondMs) / MICROS_PER_MS)).toISOString()
}
