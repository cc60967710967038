import { DeltaError } from '../errors.ts'
import type { DataType, PrimitiveType } from '../schema.ts'

const PRIMITIVES: Readonly<Record<Exclude<PrimitiveType, `decimal(${number},${number})`>, string>> = {
  string: 'VARCHAR',
  long: 'BIGINT',
  integer: 'INTEGER',
  short: 'SMALLINT',
  byte: 'TINYINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  timestamp_ntz: 'TIMESTAMP',
}

/** DuckDB's name of a Delta type. `timestamp` is an instant, so TIMESTAMP WITH TIME ZONE. Throws `DELTA_SCHEMA_INVALID`. */
export function sqlType(type: DataType): string {
  if (typeof type === 'string') {
    if (/^decimal\(\d+,\s*-?\d+\)$/.test(type)) return type.toUpperCase()
    const name = (PRIMITIVES as Readonly<Record<string, string>>)[type]
    if (name !== undefined) return name
    throw new DeltaError('DELTA_SCHEMA_INVALID', `Type "${type}" is not supported`)
  }
  if (type.type === 'array') return `${sqlType(type.elementType)}[]`
  if (type.type === 'map') return `MAP(${sqlType(type.keyType)}, ${sqlType(type.valueType)})`
  return `STRUCT(${type.fields.map((field) => `${sqlName(field.name)} ${sqlType(field.type)}`).join(', ')})`
}

/** A name, quoted. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal, quoted. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
