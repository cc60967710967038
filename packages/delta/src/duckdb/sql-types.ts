import { type ColumnMappingMode, physicalName } from '../column-mapping.ts'
import { DeltaError } from '../errors.ts'
import { type DataType, decimalOf, type PrimitiveType, type StructField, type StructType } from '../schema.ts'
import { fromJulian } from './julian-calendar.ts'

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
  const unwrapped = unwrappedField(type)
  if (unwrapped) return sqlType(unwrapped.type, mode)
  return `STRUCT(${fields.map((field) => `${sqlName(physicalName(field, mode))} ${sqlType(field.type, mode)}`).join(', ')})`
}

/** A `variant` of a file that does not mark it as one, so that DuckDB reads its bytes. Only here, never in a table's schema. */
export const VARIANT_BYTES = 'variant bytes' as PrimitiveType
/** A `string` of a file that does not mark it as text, and a `binary` of one that does. Only here as well. */
export const TEXT_AS_BYTES = 'text as bytes' as PrimitiveType
export const BYTES_AS_TEXT = 'bytes as text' as PrimitiveType
/** A `date` and a `timestamp` of a file that counts old days by the Julian calendar. Only here as well. */
export const JULIAN_DATE = 'date by Julian calendar' as PrimitiveType
export const JULIAN_TIMESTAMP = 'timestamp by Julian calendar' as PrimitiveType

/** How files hold what they mark otherwise than the table declares, and the expression that makes it what is declared. */
export const FILE_TYPES: ReadonlyMap<
  DataType,
  { readonly type: string; readonly toDeclared: (value: string) => string }
> = new Map([
  [
    VARIANT_BYTES,
    {
      type: 'STRUCT(metadata BLOB, "value" BLOB)',
      toDeclared: (value) =>
        `CASE WHEN ${value} IS NULL THEN NULL ELSE variant_bytes_to_variant((${value}).metadata || (${value}).value) END`,
    },
  ],
  [TEXT_AS_BYTES, { type: 'BLOB', toDeclared: (value) => `decode(${value})` }],
  [BYTES_AS_TEXT, { type: 'VARCHAR', toDeclared: (value) => `encode(${value})` }],
  [JULIAN_DATE, { type: 'DATE', toDeclared: (value) => fromJulian(value, 'DATE') }],
  [
    JULIAN_TIMESTAMP,
    { type: 'TIMESTAMP WITH TIME ZONE', toDeclared: (value) => fromJulian(value, 'TIMESTAMPTZ') },
  ],
])

/** Mark of a field that the files lack; its struct has one of theirs in its place. Only here, as `VARIANT_BYTES`. */
export const ABSENT = 'arus.absent'
/** Mark of the field that files give in place of the struct that it is in. */
export const UNWRAPPED = 'arus.unwrapped'
/** Mark of a field that only the files have. */
export const NOT_OF_TABLE = 'arus.notOfTable'

/** True for a field that is known not to be in the files. */
export function isAbsent(field: StructField): boolean {
  return ABSENT in field.metadata
}

/** The field that files give in place of the struct, where they do. */
export function unwrappedField({ fields }: StructType): StructField | undefined {
  return fields.find(({ metadata }) => UNWRAPPED in metadata)
}

/** True for a field that is not in the table, only asked for to read the struct that it is in. */
export function isNotOfTable(field: StructField): boolean {
  return NOT_OF_TABLE in field.metadata
}

function primitiveType(type: PrimitiveType): string {
  const inFile = FILE_TYPES.get(type)
  if (inFile) return inFile.type
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

/** A string literal, quoted; DuckDB's parser takes no NUL in one. */
export function sqlText(text: string): string {
  if (text.includes('\0')) return `(${text.split('\0').map(sqlText).join(' || chr(0) || ')})`
  return `'${text.replaceAll("'", "''")}'`
}
