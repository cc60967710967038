import { type ColumnMappingMode, physicalName } from '../column-mapping.ts'
import { DeltaError } from '../errors.ts'
import { type DataType, decimalOf, type PrimitiveType } from '../schema.ts'

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
  // A column of nulls: which type they have does not matter.
  void: 'INTEGER',
  variant: 'VARIANT',
}

/**
 * DuckDB's name of a Delta type; fields named as data files do with a column mapping. `timestamp` is an instant, so
 * TIMESTAMP WITH TIME ZONE. Throws `DELTA_SCHEMA_INVALID`.
 */
export function sqlType(type: DataType, mode: ColumnMappingMode = 'none'): string {
  if (typeof type === 'string') return primitiveType(type)
  if (type.type === 'array') return `${sqlType(type.elementType, mode)}[]`
  if (type.type === 'map') return `MAP(${sqlType(type.keyType, mode)}, ${sqlType(type.valueType, mode)})`
  return `STRUCT(${type.fields.map((field) => `${sqlName(physicalName(field, mode))} ${sqlType(field.type, mode)}`).join(', ')})`
}

/** A `variant` of a file that does not mark it as one, so that DuckDB reads its bytes. Only here, never in a table's schema. */
export const VARIANT_BYTES = 'variant bytes' as PrimitiveType

function primitiveType(type: PrimitiveType): string {
  if (type === VARIANT_BYTES) return 'STRUCT(metadata BLOB, "value" BLOB)'
  const decimal = decimalOf(type)
  if (decimal) return `DECIMAL(${decimal.precision},${decimal.scale})`
  const name = (PRIMITIVES as Readonly<Record<string, string>>)[type]
  if (name !== undefined) return name
  throw new DeltaError('DELTA_SCHEMA_INVALID', `Type "${type}" is not supported`)
}

/** A name, quoted. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal, quoted. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
