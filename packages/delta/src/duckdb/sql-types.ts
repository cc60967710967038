import { type ColumnMappingMode, physicalName } from '../column-mapping.ts'
import { DeltaError } from '../errors.ts'
import { type DataType, decimalOf, type PrimitiveType, type StructField } from '../schema.ts'

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
  const fields = type.fields.filter((field) => !isAbsent(field))
  return `STRUCT(${fields.map((field) => `${sqlName(physicalName(field, mode))} ${sqlType(field.type, mode)}`).join(', ')})`
}

/** A `variant` of a file that does not mark it as one, so that DuckDB reads its bytes. Only here, never in a table's schema. */
export const VARIANT_BYTES = 'variant bytes' as PrimitiveType

/** Mark of a field that the files lack; its struct has one of theirs in its place. Only here, as `VARIANT_BYTES`. */
export const ABSENT = 'arus.absent'
/** Mark of a field that only the files have. */
export const NOT_OF_TABLE = 'arus.notOfTable'

/** True for a field that is known not to be in the files. */
export function isAbsent(field: StructField): boolean {
  return ABSENT in field.metadata
}

/** True for a field that is not in the table, only asked for to read the struct that it is in. */
export function isNotOfTable(field: StructField): boolean {
  return NOT_OF_TABLE in field.metadata
}

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
