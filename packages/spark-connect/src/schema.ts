import { SparkError } from './errors.ts'
import type { DataType as ProtocolType } from './protocol/spark/connect/types_pb.ts'

/** A type as Spark's own JSON of schemas writes it, which Delta's log uses too: `'long'`, `'decimal(10,2)'`, `{ type: 'array', … }`. */
export type DataType = string | StructType | ArrayType | MapType

export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly StructField[]
}

export interface StructField {
  readonly name: string
  readonly type: DataType
  readonly nullable: boolean
  readonly metadata: Readonly<Record<string, unknown>>
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

const INTERVAL_FIELDS = ['day', 'hour', 'minute', 'second']
const MONTH_FIELDS = ['year', 'month']

/** A struct with fields of these types, all nullable: `structOf({ id: 'long', name: 'string' })`. */
export function structOf(fields: Readonly<Record<string, DataType>>): StructType {
  const list = Object.entries(fields).map(([name, type]) => ({ name, type, nullable: true, metadata: {} }))
  return { type: 'struct', fields: list }
}

/** The schema the server tells of a plan. */
export function schemaOf(type: ProtocolType | undefined): StructType {
  const schema = type === undefined ? undefined : typeOf(type)
  if (schema === undefined || typeof schema === 'string' || schema.type !== 'struct')
    throw new SparkError(
      'SPARK_PROTOCOL',
      `The server answered ${JSON.stringify(schema)} where a schema belongs`,
    )
  return schema
}

function typeOf({ kind }: ProtocolType): DataType {
  switch (kind.case) {
    case 'array': {
      const { elementType, containsNull } = kind.value
      return { type: 'array', elementType: required(elementType), containsNull }
    }
    case 'map': {
      const { keyType, valueType, valueContainsNull } = kind.value
      return { type: 'map', keyType: required(keyType), valueType: required(valueType), valueContainsNull }
    }
    case 'struct':
      return {
        type: 'struct',
        fields: kind.value.fields.map(({ name, dataType, nullable, metadata }) => ({
          name,
          type: required(dataType),
          nullable,
          metadata: metadata ? (JSON.parse(metadata) as Record<string, unknown>) : {},
        })),
      }
    case 'udt':
      return required(kind.value.sqlType)
    default:
      return nameOf(kind)
  }
}

function required(type: ProtocolType | undefined): DataType {
  if (type === undefined) throw new SparkError('SPARK_PROTOCOL', 'The server left out a type within a schema')
  return typeOf(type)
}

function nameOf(kind: ProtocolType['kind']): string {
  switch (kind.case) {
    case 'null':
      return 'void'
    case 'decimal':
      return `decimal(${kind.value.precision ?? 10},${kind.value.scale ?? 0})`
    case 'char':
      return `char(${kind.value.length})`
    case 'varChar':
      return `varchar(${kind.value.length})`
    case 'timestampNtz':
      return 'timestamp_ntz'
    case 'time':
      return `time(${kind.value.precision ?? 6})`
    case 'calendarInterval':
      return 'interval'
    case 'dayTimeInterval':
      return intervalName(INTERVAL_FIELDS, kind.value.startField ?? 0, kind.value.endField ?? 3)
    case 'yearMonthInterval':
      return intervalName(MONTH_FIELDS, kind.value.startField ?? 0, kind.value.endField ?? 1)
    case undefined:
      throw new SparkError('SPARK_PROTOCOL', 'The server left out a type within a schema')
    case 'unparsed':
      return kind.value.dataTypeString
    default:
      return kind.case
  }
}

function intervalName(fields: readonly string[], start: number, end: number): string {
  return start === end ? `interval ${fields[start]}` : `interval ${fields[start]} to ${fields[end]}`
}
