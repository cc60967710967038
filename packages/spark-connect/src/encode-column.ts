import * as arrow from 'apache-arrow'
import { daysOfDate, microsOfDateTime, nanosOfTime } from './calendar.ts'
import { unscaledOf } from './decimal.ts'
import { SparkError } from './errors.ts'
import type { DataType } from './schema.ts'

const MS_PER_DAY = 86_400_000
const INTEGERS = {
  byte: { type: new arrow.Int8(), bits: 8, ArrayType: Int8Array },
  short: { type: new arrow.Int16(), bits: 16, ArrayType: Int16Array },
  integer: { type: new arrow.Int32(), bits: 32, ArrayType: Int32Array },
}

/** Where a value stands, for messages. */
interface Place {
  readonly column: string
  readonly type: string
}

/**
 * An Arrow column of JavaScript's values; null and undefined are null. What a value may be for each type is the README's
 * table. Throws `SPARK_VALUE_INVALID`, naming column and value, and `SPARK_TYPE_UNSUPPORTED`.
 */
export function encodeColumn(column: string, type: DataType, values: readonly unknown[]): arrow.Data {
  const place = { column, type: typeof type === 'string' ? type : type.type }
  const { nullCount, nullBitmap } = validityOf(values)
  const common = { length: values.length, nullCount, ...(nullCount === 0 ? {} : { nullBitmap }) }
  if (typeof type === 'string') return encodeSimple(type, values, common, place)
  if (type.type === 'struct') return encodeStruct(column, type, values, common, place)
  const items = values.map((value) => (isNull(value) ? [] : itemsOf(type.type, value, place)))
  const valueOffsets = offsetsOf(items.map((list) => list.length))
  if (type.type === 'array') {
    const child = encodeColumn(`${column}[]`, type.elementType, items.flat())
    const list = new arrow.List(new arrow.Field('element', child.type, type.containsNull))
    return arrow.makeData({ type: list, ...common, valueOffsets, child })
  }
  const entries = items.flat() as [unknown, unknown][]
  const keys = encodeColumn(
    `${column}.key`,
    type.keyType,
    entries.map(([key]) => key),
  )
  const mapped = encodeColumn(
    `${column}.value`,
    type.valueType,
    entries.map(([, value]) => value),
  )
  if (keys.nullCount > 0) throw invalid(place, 'a key that is null')
  const fields = [
    new arrow.Field('key', keys.type, false),
    new arrow.Field('value', mapped.type, type.valueContainsNull),
  ]
  const struct = new arrow.Struct<{ key: arrow.DataType; value: arrow.DataType }>(fields as never)
  const child = arrow.makeData({
    type: struct,
    length: entries.length,
    nullCount: 0,
    children: [keys, mapped],
  })
  const map = new arrow.Map_(new arrow.Field('entries', struct, false))
  return arrow.makeData({ type: map, ...common, valueOffsets, child })
}

interface Common {
  readonly length: number
  readonly nullCount: number
  readonly nullBitmap?: Uint8Array
}

function encodeSimple(type: string, values: readonly unknown[], common: Common, place: Place): arrow.Data {
  const each = <T>(read: (value: unknown) => T, absent: T) =>
    values.map((value) => (isNull(value) ? absent : read(value)))
  const micros = (read: (value: unknown) => bigint) => BigInt64Array.from(each(read, 0n))
  const integer = INTEGERS[type as keyof typeof INTEGERS]
  if (integer !== undefined) {
    const data = integer.ArrayType.from(each((value) => integerOf(value, integer.bits, place), 0))
    return arrow.makeData({ type: integer.type as arrow.Int, ...common, data })
  }
  const decimal = /^decimal\((\d+), ?(-?\d+)\)$/.exec(type)
  if (decimal !== null) return encodeDecimal(Number(decimal[1]), Number(decimal[2]), values, common, place)
  switch (type.replace(/^(char|varchar|interval|time)\b.*/, '$1')) {
    case 'void':
      return arrow.makeData({ type: new arrow.Null(), length: values.length })
    case 'boolean':
      return arrow.makeData({
        type: new arrow.Bool(),
        ...common,
        data: bitsOf(each((v) => booleanOf(v, place), false)),
      })
    case 'long':
      return arrow.makeData({
        type: new arrow.Int64(),
        ...common,
        data: micros((value) => longOf(value, place)),
      })
    case 'float':
      return arrow.makeData({
        type: new arrow.Float32(),
        ...common,
        data: Float32Array.from(each((v) => numberOf(v, place), 0)),
      })
    case 'double':
      return arrow.makeData({
        type: new arrow.Float64(),
        ...common,
        data: Float64Array.from(each((v) => numberOf(v, place), 0)),
      })
    case 'string':
    case 'char':
    case 'varchar':
      return encodeBytes(
        new arrow.Utf8(),
        each((value) => Buffer.from(textOf(value, place)), EMPTY),
        common,
      )
    case 'binary':
      return encodeBytes(
        new arrow.Binary(),
        each((value) => bytesOf(value, place), EMPTY),
        common,
      )
    case 'date':
      return arrow.makeData({
        type: new arrow.DateDay(),
        ...common,
        data: Int32Array.from(each((v) => daysOf(v, place), 0)),
      })
    case 'timestamp':
      return arrow.makeData({
        type: new arrow.TimestampMicrosecond('UTC'),
        ...common,
        data: micros((value) => microsOf(value, place)),
      })
    case 'timestamp_ntz':
      return arrow.makeData({
        type: new arrow.TimestampMicrosecond(),
        ...common,
        data: micros((value) => localMicrosOf(value, place)),
      })
    case 'time':
      return arrow.makeData({
        type: new arrow.TimeNanosecond(),
        ...common,
        data: micros((value) => nanosOf(value, place)),
      })
    case 'interval':
      return encodeInterval(type, values, common, place)
    default:
      throw new SparkError(
        'SPARK_TYPE_UNSUPPORTED',
        `Column ${place.column}: values of type ${type} cannot be sent`,
      )
  }
}

const EMPTY = new Uint8Array(0)

function encodeInterval(type: string, values: readonly unknown[], common: Common, place: Place): arrow.Data {
  const each = <T>(read: (value: unknown) => T, absent: T) =>
    values.map((value) => (isNull(value) ? absent : read(value)))
  if (/year|month/.test(type)) {
    const data = Int32Array.from(each((value) => integerOf(value, 32, place), 0))
    return arrow.makeData({ type: new arrow.IntervalYearMonth(), ...common, data })
  }
  if (type === 'interval')
    throw new SparkError(
      'SPARK_TYPE_UNSUPPORTED',
      `Column ${place.column}: calendar intervals cannot be sent`,
    )
  const data = BigInt64Array.from(each((value) => longOf(value, place), 0n))
  return arrow.makeData({ type: new arrow.DurationMicrosecond(), ...common, data })
}

function encodeDecimal(
  precision: number,
  scale: number,
  values: readonly unknown[],
  common: Common,
  place: Place,
): arrow.Data {
  const limit = 10n ** BigInt(precision)
  const words = new BigUint64Array(values.length * 2)
  for (const [row, value] of values.entries()) {
    if (isNull(value)) continue
    const isNumeric = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    const unscaled = isNumeric ? unscaledOf(String(value), scale) : null
    if (unscaled === null || unscaled >= limit || unscaled <= -limit) throw invalid(place, value)
    words[row * 2] = BigInt.asUintN(64, unscaled)
    words[row * 2 + 1] = BigInt.asUintN(64, unscaled >> 64n)
  }
  const type = new arrow.Decimal(scale, precision, 128)
  return arrow.makeData({ type, ...common, data: new Uint32Array(words.buffer) })
}

function encodeBytes(
  type: arrow.Utf8 | arrow.Binary,
  parts: readonly Uint8Array[],
  common: Common,
): arrow.Data {
  const valueOffsets = offsetsOf(parts.map((part) => part.length))
  return arrow.makeData({
    type: type as arrow.Binary,
    ...common,
    valueOffsets,
    data: new Uint8Array(Buffer.concat(parts)),
  })
}

function encodeStruct(
  column: string,
  type: Extract<DataType, { readonly type: 'struct' }>,
  values: readonly unknown[],
  common: Common,
  place: Place,
): arrow.Data {
  const children = type.fields.map((field) => {
    const cells = values.map((value) => (isNull(value) ? null : fieldOf(value, field.name, place)))
    const hasNull = !field.nullable && values.some((value, row) => !isNull(value) && isNull(cells[row]))
    if (hasNull)
      throw invalid({ column: `${column}.${field.name}`, type: 'a type that is not nullable' }, null)
    return encodeColumn(column === '' ? field.name : `${column}.${field.name}`, field.type, cells)
  })
  const fields = type.fields.map(
    (field, index) => new arrow.Field(field.name, children[index]!.type, field.nullable),
  )
  return arrow.makeData({ type: new arrow.Struct(fields), ...common, children })
}

function validityOf(values: readonly unknown[]): {
  readonly nullCount: number
  readonly nullBitmap: Uint8Array
} {
  const valid = values.map((value) => !isNull(value))
  return { nullCount: valid.filter((isValid) => !isValid).length, nullBitmap: bitsOf(valid) }
}

function bitsOf(flags: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array((flags.length + 7) >> 3)
  for (const [index, flag] of flags.entries()) if (flag) bytes[index >> 3]! |= 1 << (index & 7)
  return bytes
}

function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1)
  for (const [index, length] of lengths.entries()) offsets[index + 1] = offsets[index]! + length
  return offsets
}

function itemsOf(kind: 'array' | 'map', value: unknown, place: Place): unknown[] {
  if (kind === 'array' && Array.isArray(value)) return value
  if (kind === 'map' && value instanceof Map) return [...value]
  if (kind === 'map' && typeof value === 'object' && value !== null) return Object.entries(value)
  throw invalid(place, value)
}

function fieldOf(value: unknown, name: string, place: Place): unknown {
  if (typeof value !== 'object' || value === null) throw invalid(place, value)
  return (value as Record<string, unknown>)[name]
}

function integerOf(value: unknown, bits: number, place: Place): number {
  const limit = 2 ** (bits - 1)
  const number = typeof value === 'bigint' ? Number(value) : value
  if (Number.isInteger(number) && (number as number) >= -limit && (number as number) < limit)
    return number as number
  throw invalid(place, value)
}

export function longOf(value: unknown, place: Place): bigint {
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
  if (Number.isSafeInteger(value)) return BigInt(value as number)
  throw invalid(place, value)
}

function numberOf(value: unknown, place: Place): number {
  if (typeof value === 'number') return value
  throw invalid(place, value)
}

function booleanOf(value: unknown, place: Place): boolean {
  if (typeof value === 'boolean') return value
  throw invalid(place, value)
}

function textOf(value: unknown, place: Place): string {
  if (typeof value === 'string' && value.isWellFormed()) return value
  throw invalid(place, value)
}

function bytesOf(value: unknown, place: Place): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw invalid(place, value)
}

export function daysOf(value: unknown, place: Place): number {
  const days =
    value instanceof Date
      ? Math.floor(value.getTime() / MS_PER_DAY)
      : typeof value === 'string'
        ? daysOfDate(value)
        : null
  if (days === null || Number.isNaN(days)) throw invalid(place, value)
  return days
}

export function microsOf(value: unknown, place: Place): bigint {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return BigInt(value.getTime()) * 1000n
  if (typeof value === 'bigint') return longOf(value, place)
  throw invalid(place, value)
}

export function localMicrosOf(value: unknown, place: Place): bigint {
  const micros =
    typeof value === 'string' ? microsOfDateTime(value) : typeof value === 'bigint' ? value : null
  if (micros === null) throw invalid(place, value)
  return longOf(micros, place)
}

function nanosOf(value: unknown, place: Place): bigint {
  const nanos = typeof value === 'string' ? nanosOfTime(value) : null
  if (nanos === null) throw invalid(place, value)
  return nanos
}

function isNull(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function invalid({ column, type }: Place, value: unknown): SparkError {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : String(value)
  return new SparkError('SPARK_VALUE_INVALID', `Column ${column}: ${shown} is no value of ${type}`)
}
