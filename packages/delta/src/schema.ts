import { DeltaError, unsupported } from './errors.ts'

/**
 * Delta primitive types; `decimal(p,s)` is spelled out. Protocol, "Primitive Types"; `void` is a column of nulls only,
 * `variant` is read, not written.
 */
export type PrimitiveType =
  | 'string'
  | 'long'
  | 'integer'
  | 'short'
  | 'byte'
  | 'float'
  | 'double'
  | 'boolean'
  | 'binary'
  | 'date'
  | 'timestamp'
  | 'timestamp_ntz'
  | 'void'
  | 'variant'
  | `decimal(${number},${number})`

export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly StructField[]
}

export interface ArrayType {
  readonly type: 'array'
  readonly elementType: DataType
  readonly containsNull: boolean
}

export interface MapType {
  readonly type: 'map'
  readonly keyType: DataType
  readonly valueType: DataType
  readonly valueContainsNull: boolean
}

export type DataType = PrimitiveType | StructType | ArrayType | MapType

/** A column. Protocol, "Schema Serialization Format". */
export interface StructField {
  readonly name: string
  readonly type: DataType
  readonly nullable: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

const PRIMITIVES: ReadonlySet<string> = new Set([
  'string',
  'long',
  'integer',
  'short',
  'byte',
  'float',
  'double',
  'boolean',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz',
  'void',
  'variant',
])
const DECIMAL = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/
/** Text types with a length or an order of their own, which are read and written as `string`. */
const OTHER_TEXT = /^(?:(?:char|varchar)\(\d+\)|string collate \w+)$/i
/** Types of the protocol and of its proposals that this library does not read, by the feature that brings them. */
const UNSUPPORTED_TYPES: readonly (readonly [type: RegExp, feature: string])[] = [
  [/^geometry\b/, 'geospatial'],
  [/^geography\b/, 'geospatial'],
  [/^(interval|calendarinterval)\b/, 'interval'],
]

/** The schema of a `schemaString`. Throws `DELTA_SCHEMA_INVALID`, and `DELTA_FEATURE_UNSUPPORTED` for types not read here. */
export function parseSchema(schemaString: string): StructType {
  let value: unknown
  try {
    value = JSON.parse(schemaString)
  } catch (error) {
    throw new DeltaError(
      'DELTA_SCHEMA_INVALID',
      `The schema is not JSON: ${schemaString.slice(0, 80)}`,
      error,
    )
  }
  const type = parseType(value)
  if (typeof type === 'object' && type.type === 'struct') return withUniqueNames(type)
  throw invalid('a schema is a struct with fields', value)
}

/** A decimal's digits and digits after the point; null for other types. */
export function decimalOf(type: DataType): { readonly precision: number; readonly scale: number } | null {
  const match = typeof type === 'string' ? DECIMAL.exec(type) : null
  return match ? { precision: Number(match[1]), scale: Number(match[2]) } : null
}

/** A column, nullable unless said otherwise. */
export function column(
  name: string,
  type: DataType,
  options: { readonly nullable?: boolean; readonly comment?: string } = {},
): StructField {
  const { nullable = true, comment } = options
  return { name, type, nullable, metadata: comment === undefined ? {} : { comment } }
}

/** Protocol, "Schema Serialization Format": names are told apart without regard to case. */
function withUniqueNames(schema: StructType): StructType {
  const seen = new Set<string>()
  for (const { name } of schema.fields) {
    const key = name.toLowerCase()
    if (seen.has(key))
      throw new DeltaError('DELTA_SCHEMA_INVALID', `Two columns are named ${name}, letter case aside`)
    seen.add(key)
  }
  return schema
}

/** Types within types; deeper ones would overflow the stack of whoever walks through them. */
const NESTING_MAX = 500

function parseType(value: unknown, depth = 0): DataType {
  if (typeof value === 'string') return parsePrimitive(value)
  if (depth > NESTING_MAX)
    throw new DeltaError('DELTA_SCHEMA_INVALID', `The schema is nested more than ${NESTING_MAX} deep`)
  if (typeof value !== 'object' || value === null) throw invalid('a type', value)
  const type = value as Readonly<Record<string, unknown>>
  switch (type.type) {
    case 'struct':
      if (!Array.isArray(type.fields)) throw invalid('a struct with fields', value)
      return { type: 'struct', fields: type.fields.map((field) => parseField(field, depth + 1)) }
    case 'array':
      return {
        type: 'array',
        elementType: parseType(type.elementType, depth + 1),
        containsNull: type.containsNull !== false,
      }
    case 'map':
      return {
        type: 'map',
        keyType: parseType(type.keyType, depth + 1),
        valueType: parseType(type.valueType, depth + 1),
        valueContainsNull: type.valueContainsNull !== false,
      }
    case 'udt':
      return parseType(type.sqlType, depth + 1)
    default:
      throw invalid('a struct, array or map', value)
  }
}

function parsePrimitive(name: string): PrimitiveType {
  if (PRIMITIVES.has(name)) return name as PrimitiveType
  if (name === 'null') return 'void'
  if (OTHER_TEXT.test(name)) return 'string'
  if (name === 'decimal') return 'decimal(10,0)'
  const decimal = decimalOf(name as PrimitiveType)
  if (decimal !== null && decimal.precision <= 38 && decimal.scale <= decimal.precision)
    return `decimal(${decimal.precision},${decimal.scale})`
  const feature = UNSUPPORTED_TYPES.find(([type]) => type.test(name))?.[1]
  if (feature !== undefined) throw unsupported(`columns of type ${name}`, [feature])
  throw invalid('a type of the protocol', name)
}

function parseField(value: unknown, depth: number): StructField {
  const field = value as Partial<StructField> | null
  if (typeof field?.name !== 'string') throw invalid('a field with a name', value)
  const metadata: unknown = field.metadata ?? {}
  if (typeof metadata !== 'object') throw invalid('metadata of a field', metadata)
  return {
    name: field.name,
    type: parseType(field.type, depth),
    nullable: field.nullable !== false,
    metadata: metadata as StructField['metadata'],
  }
}

function invalid(expected: string, found: unknown): DeltaError {
  return new DeltaError(
    'DELTA_SCHEMA_INVALID',
    `Expected ${expected}, found ${(JSON.stringify(found) ?? 'nothing').slice(0, 80)}`,
  )
}
