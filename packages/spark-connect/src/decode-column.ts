import * as arrow from 'apache-arrow'
import { dateOfDays, dateTimeOfMicros, floorDivide, timeOfNanos } from './calendar.ts'
import { decimalText } from './decimal.ts'
import { SparkError } from './errors.ts'

/** How `timestamp` comes: as `Date`, which drops what is finer than a millisecond, or as microseconds since 1970. */
export type TimestampForm = 'date' | 'micros'

/** The value of a row of a column. */
export type ReadValue = (row: number) => unknown

const DATE_MS_MAX = 8_640_000_000_000_000

/** Reads the values of an Arrow column as JavaScript's; the README's table says which type becomes what. */
export function decodeColumn(data: arrow.Data, timestamps: TimestampForm): ReadValue {
  const read = decodeValid(data, timestamps)
  return data.nullCount === 0 ? read : (row) => (data.getValid(row) ? read(row) : null)
}

/** Reads values of rows that are not null. */
function decodeValid(data: arrow.Data, timestamps: TimestampForm): ReadValue {
  const { type, values } = data
  const child = (index: number) => decodeColumn(data.children[index]!, timestamps)
  if (arrow.DataType.isNull(type)) return () => null
  if (arrow.DataType.isBool(type)) return (row) => bit(values, data.offset + row)
  if (arrow.DataType.isInt(type) || arrow.DataType.isFloat(type)) return (row) => values[row]
  if (arrow.DataType.isDecimal(type)) return (row) => decimalText(unscaledAt(values, row), type.scale)
  if (arrow.DataType.isUtf8(type)) return readText(data)
  if (arrow.DataType.isBinary(type)) return readBytes(data)
  if (arrow.DataType.isDate(type)) return (row) => dateOfDays(values[row])
  if (arrow.DataType.isTimestamp(type)) {
    if (!type.timezone) return (row) => dateTimeOfMicros(values[row])
    return timestamps === 'micros' ? (row) => values[row] : (row) => dateOf(values[row])
  }
  if (arrow.DataType.isTime(type)) return (row) => timeOfNanos(values[row])
  if (arrow.DataType.isDuration(type)) return (row) => values[row]
  if (arrow.DataType.isInterval(type)) return readInterval(type, data)
  if (arrow.DataType.isList(type)) return readList(data, child(0))
  if (arrow.DataType.isMap(type)) return readMap(data, timestamps)
  if (arrow.DataType.isStruct(type)) return readStruct(type, data, child)
  throw new SparkError('SPARK_TYPE_UNSUPPORTED', `Values of Arrow's type ${type} are not read`)
}

function bit(bytes: Uint8Array, index: number): boolean {
  return (bytes[index >> 3]! & (1 << (index & 7))) !== 0
}

/** Four 32-bit words in two's complement, the lowest first. */
function unscaledAt(words: Uint32Array, row: number): bigint {
  const [a, b, c, d] = words.subarray(row * 4, row * 4 + 4)
  const low = (BigInt(b!) << 32n) | BigInt(a!)
  const high = (BigInt(d!) << 32n) | BigInt(c!)
  return BigInt.asIntN(128, (high << 64n) | low)
}

function dateOf(micros: bigint): Date {
  const ms = Number(floorDivide(micros, 1000n))
  if (Math.abs(ms) > DATE_MS_MAX)
    throw new SparkError(
      'SPARK_VALUE_INVALID',
      `A timestamp of ${micros} µs is outside of what a Date holds; ask for timestamps: 'micros'`,
    )
  return new Date(ms)
}

/** A Buffer decodes short texts several times faster than TextDecoder. */
function readText({ values, valueOffsets }: arrow.Data): ReadValue {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return (row) => bytes.toString('utf8', valueOffsets[row], valueOffsets[row + 1])
}

/** Copies, so that one value does not keep its batch in memory. */
function readBytes({ values, valueOffsets }: arrow.Data): ReadValue {
  return (row) => values.slice(valueOffsets[row], valueOffsets[row + 1])
}

function readInterval(type: arrow.Interval, { values }: arrow.Data): ReadValue {
  if (type.unit === arrow.IntervalUnit.YEAR_MONTH) return (row) => values[row]
  if (type.unit !== arrow.IntervalUnit.MONTH_DAY_NANO)
    throw new SparkError('SPARK_TYPE_UNSUPPORTED', `Values of Arrow's type ${type} are not read`)
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
  return (row) => ({
    months: view.getInt32(row * 16, true),
    days: view.getInt32(row * 16 + 4, true),
    microseconds: view.getBigInt64(row * 16 + 8, true) / 1000n,
  })
}

function readList({ valueOffsets }: arrow.Data, element: ReadValue): ReadValue {
  return (row) => {
    const [start, end] = [valueOffsets[row]!, valueOffsets[row + 1]!]
    return Array.from({ length: end - start }, (_, index) => element(start + index))
  }
}

function readMap({ valueOffsets, children }: arrow.Data, timestamps: TimestampForm): ReadValue {
  const [key, value] = children[0]!.children.map((entry) => decodeColumn(entry, timestamps))
  return (row) => {
    const map = new Map<unknown, unknown>()
    for (let entry = valueOffsets[row]!; entry < valueOffsets[row + 1]!; entry++)
      map.set(key!(entry), value!(entry))
    return map
  }
}

function readStruct(type: arrow.Struct, data: arrow.Data, child: (index: number) => ReadValue): ReadValue {
  const names = type.children.map((field) => field.name)
  const readers = data.children.map((_, index) => child(index))
  return (row) => objectOf(names, readers, row)
}

/** An object of one row. */
export function objectOf(
  names: readonly string[],
  readers: readonly ReadValue[],
  row: number,
): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (let index = 0; index < names.length; index++) object[names[index]!] = readers[index]!(row)
  return object
}
