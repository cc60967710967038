import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import { sqlName, sqlText, sqlType } from '../../src/duckdb/index.ts'
import type { DataType, StructType } from '../../src/index.ts'

/** A value as JSON that keeps its type; `engines/workers/typed_values.py` says how, this is its twin for DuckDB. */
export type Typed = null | boolean | number | string | readonly Typed[] | { readonly [name: string]: Typed }
export type Row = Readonly<Record<string, Typed>>

/** Rows in an order of their own, so that those of several engines compare. */
export function sorted(rows: readonly Row[]): Row[] {
  const key = (row: Row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
}

/** A SELECT that gives the rows, typed. */
export function selectOf(schema: StructType, rows: readonly Row[]): string {
  const tuples = rows.map(
    (row) => `(${schema.fields.map(({ name, type }) => literal(row[name] ?? null, type)).join(', ')})`,
  )
  return `SELECT * FROM (VALUES ${tuples.join(', ')}) AS t(${schema.fields.map(({ name }) => sqlName(name)).join(', ')})`
}

function literal(value: Typed, type: DataType): string {
  if (value === null) return `CAST(NULL AS ${sqlType(type)})`
  if (typeof type === 'string') {
    return type === 'binary'
      ? `from_hex(${sqlText(String(value))})`
      : `CAST(${sqlText(String(value))} AS ${sqlType(type)})`
  }
  if (type.type === 'array') {
    return `CAST([${(value as Typed[]).map((item) => literal(item, type.elementType)).join(', ')}] AS ${sqlType(type)})`
  }
  if (type.type === 'map') {
    const pairs = value as readonly (readonly [Typed, Typed])[]
    const keys = pairs.map(([key]) => literal(key, type.keyType))
    const values = pairs.map(([, item]) => literal(item, type.valueType))
    return `CAST(MAP([${keys.join(', ')}], [${values.join(', ')}]) AS ${sqlType(type)})`
  }
  const fields = type.fields.map(
    (field) => `${sqlName(field.name)} := ${literal((value as Row)[field.name] ?? null, field.type)}`,
  )
  return `struct_pack(${fields.join(', ')})`
}

/** A value of DuckDB as a typed one. */
export function typedOf(value: DuckDBValue, type: DataType): Typed {
  if (value === null) return null
  if (value instanceof DuckDBListValue && typeof type === 'object' && type.type === 'array') {
    return value.items.map((item) => typedOf(item, type.elementType))
  }
  if (value instanceof DuckDBMapValue && typeof type === 'object' && type.type === 'map') {
    return value.entries
      .map((entry) => [typedOf(entry.key, type.keyType), typedOf(entry.value, type.valueType)])
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (value instanceof DuckDBStructValue && typeof type === 'object' && type.type === 'struct') {
    return Object.fromEntries(
      type.fields.map((field) => [field.name, typedOf(value.entries[field.name] ?? null, field.type)]),
    )
  }
  return primitiveOf(value)
}

function primitiveOf(value: DuckDBValue): Typed {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean' || typeof value === 'string') return value
  if (value instanceof DuckDBDecimalValue) return value.toString()
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex').toUpperCase()
  if (value instanceof DuckDBDateValue) return isoOf(BigInt(value.days) * 86_400_000_000n).slice(0, 10)
  if (value instanceof DuckDBTimestampTZValue) return `${isoOf(value.micros)}Z`
  if (value instanceof DuckDBTimestampValue) return isoOf(value.micros)
  throw new TypeError(`A value of ${value?.constructor.name} has no typed form`)
}

/** "2024-01-31T12:00:00.000000" of microseconds since 1970. */
function isoOf(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = new Date(Number((micros - fraction) / 1000n)).toISOString().slice(0, 19)
  return `${seconds}.${String(fraction).padStart(6, '0')}`
}
