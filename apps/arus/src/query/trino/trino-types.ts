import type { TrinoType, TrinoTypeArgument } from './trino-client.ts'

/** A column of Trino's in DuckDB: its type there, and how a value is written as the text that is cast to it. */
export interface ColumnForm {
  readonly type: string
  /** SQL of the value, over the text `column`. */
  cast(column: string): string
  /** The text of a value that is not null. */
  text(value: unknown): string
}

const SAME: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  tinyint: 'TINYINT',
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  real: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  uuid: 'UUID',
}
/** DuckDB's widest. */
const DECIMAL_DIGITS_MAX = 38

/** What has no counterpart (intervals, sketches, IP addresses, …) comes as Trino's text of it. */
export function columnForm(type: TrinoType): ColumnForm {
  const name = duckType(type)
  if (type.rawType === 'varbinary')
    return { type: name, cast: (column) => `from_base64(${column})`, text: String }
  if (isNested(type))
    return {
      type: name,
      cast: (column) => `CAST(${column}::JSON AS ${name})`,
      text: (value) => JSON.stringify(jsonOf(type, value)),
    }
  return {
    type: name,
    cast: (column) => `CAST(${column} AS ${name})`,
    text: (value) => scalarText(type, value),
  }
}

function isNested({ rawType }: TrinoType): boolean {
  return rawType === 'array' || rawType === 'map' || rawType === 'row'
}

function duckType(type: TrinoType): string {
  const { rawType, arguments: parts } = type
  const same = SAME[rawType]
  if (same !== undefined) return same
  switch (rawType) {
    case 'decimal': {
      const [digits = DECIMAL_DIGITS_MAX, scale = 0] = parts.map((part) =>
        part.kind === 'LONG' ? part.value : 0,
      )
      return `DECIMAL(${digits}, ${scale})`
    }
    case 'timestamp':
      return 'TIMESTAMP'
    case 'timestamp with time zone':
      return 'TIMESTAMPTZ'
    case 'time':
      return 'TIME'
    case 'varbinary':
      return 'BLOB'
    case 'array':
      return `${duckType(typeAt(parts, 0))}[]`
    case 'map':
      return `MAP(${duckType(typeAt(parts, 0))}, ${duckType(typeAt(parts, 1))})`
    case 'row':
      return `STRUCT(${parts.map((part, i) => `${quoted(fieldName(part, i))} ${duckType(typeOf(part))}`).join(', ')})`
    default:
      return 'VARCHAR'
  }
}

function scalarText({ rawType }: TrinoType, value: unknown): string {
  // An offset stands behind a space there, which DuckDB takes for the name of a zone.
  if (rawType === 'timestamp with time zone') return String(value).replace(/ (?=[+-]\d\d:\d\d$)/, '')
  return String(value)
}

/** Rows come as lists of their values; in DuckDB's JSON they are objects. */
function jsonOf(type: TrinoType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  const { rawType, arguments: parts } = type
  switch (rawType) {
    case 'array':
      return (value as readonly unknown[]).map((item) => jsonOf(typeAt(parts, 0), item))
    case 'map':
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, jsonOf(typeAt(parts, 1), item)]),
      )
    case 'row':
      return Object.fromEntries(
        parts.map((part, i) => [fieldName(part, i), jsonOf(typeOf(part), (value as readonly unknown[])[i])]),
      )
    default:
      return typeof value === 'object' ? JSON.stringify(value) : scalarText(type, value)
  }
}

function typeAt(parts: readonly TrinoTypeArgument[], place: number): TrinoType {
  const part = parts[place]
  return part === undefined ? { rawType: 'unknown', arguments: [] } : typeOf(part)
}

function typeOf(part: TrinoTypeArgument): TrinoType {
  if (part.kind === 'TYPE') return part.value
  if (part.kind === 'NAMED_TYPE') return part.value.typeSignature
  return { rawType: 'unknown', arguments: [] }
}

function fieldName(part: TrinoTypeArgument, place: number): string {
  return (part.kind === 'NAMED_TYPE' ? part.value.fieldName?.name : undefined) ?? `field${place}`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
