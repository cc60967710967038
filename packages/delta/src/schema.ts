import { DeltaError } from './errors.ts'

/** Delta primitive types; `decimal(p,s)` is spelled out. Protocol, "Primitive Types". */
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

/** The schema of a `schemaString`. Throws `DELTA_SCHEMA_INVALID`. */
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
  const struct = value as Partial<StructType> | null
  if (struct?.type !== 'struct' || !Array.isArray(struct.fields)) {
    throw new DeltaError(
      'DELTA_SCHEMA_INVALID',
      `A schema is a struct with fields, found ${schemaString.slice(0, 80)}`,
    )
  }
  return struct as StructType
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
