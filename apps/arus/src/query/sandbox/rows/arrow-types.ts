import {
  type DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  type DuckDBDecimalType,
  DuckDBDecimalValue,
  type DuckDBListType,
  DuckDBListValue,
  type DuckDBMapType,
  DuckDBMapValue,
  type DuckDBStructType,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api'
import {
  binary,
  bool,
  type DataType,
  dateDay,
  decimal,
  field,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  list,
  map,
  struct,
  TimeUnit,
  timeMicrosecond,
  timestamp,
  uint8,
  uint16,
  uint32,
  uint64,
  utf8,
} from '@uwdata/flechette'

/**
 * How a DuckDB type becomes an Arrow type. Instants and dates are built as the whole numbers they are (`stored`) and
 * named for what they mean (`shown`): both have the same bytes, and no digit goes through a double.
 */
export interface ArrowMapping {
  readonly stored: DataType
  readonly shown: DataType
  value(value: DuckDBValue): unknown
}

/** Types Arrow has no like of (intervals, bit strings, enums, unions, …) become text as DuckDB writes it. */
export function arrowMapping(type: DuckDBType): ArrowMapping {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return plain(bool())
    case DuckDBTypeId.TINYINT:
      return plain(int8())
    case DuckDBTypeId.SMALLINT:
      return plain(int16())
    case DuckDBTypeId.INTEGER:
      return plain(int32())
    case DuckDBTypeId.BIGINT:
      return plain(int64())
    case DuckDBTypeId.UTINYINT:
      return plain(uint8())
    case DuckDBTypeId.USMALLINT:
      return plain(uint16())
    case DuckDBTypeId.UINTEGER:
      return plain(uint32())
    case DuckDBTypeId.UBIGINT:
      return plain(uint64())
    case DuckDBTypeId.HUGEINT:
      return plain(decimal(38, 0, 128))
    case DuckDBTypeId.FLOAT:
      return plain(float32())
    case DuckDBTypeId.DOUBLE:
      return plain(float64())
    case DuckDBTypeId.VARCHAR:
      return plain(utf8())
    case DuckDBTypeId.BLOB:
      return { ...plain(binary()), value: (value) => (value instanceof DuckDBBlobValue ? value.bytes : null) }
    case DuckDBTypeId.DECIMAL:
      return decimals(type as DuckDBDecimalType)
    case DuckDBTypeId.DATE:
      return {
        stored: int32(),
        shown: dateDay(),
        value: (value) => (value instanceof DuckDBDateValue ? value.days : null),
      }
    case DuckDBTypeId.TIME:
      return {
        ...plain(timeMicrosecond()),
        value: (value) => (value instanceof DuckDBTimeValue ? value.micros : null),
      }
    case DuckDBTypeId.TIMESTAMP:
      return instants(null)
    case DuckDBTypeId.TIMESTAMP_TZ:
      return instants('UTC')
    case DuckDBTypeId.LIST:
      return lists((type as DuckDBListType).valueType)
    case DuckDBTypeId.ARRAY:
      return lists((type as DuckDBArrayType).valueType)
    case DuckDBTypeId.STRUCT:
      return structs(type as DuckDBStructType)
    case DuckDBTypeId.MAP:
      return maps(type as DuckDBMapType)
    default:
      return { ...plain(utf8()), value: String }
  }
}

function plain(type: DataType): ArrowMapping {
  return { stored: type, shown: type, value: (value) => value }
}

function decimals({ width, scale }: DuckDBDecimalType): ArrowMapping {
  const type = decimal(width, scale, 128)
  return { ...plain(type), value: (value) => (value instanceof DuckDBDecimalValue ? value.value : null) }
}

function instants(zone: string | null): ArrowMapping {
  const value = (instant: DuckDBValue) =>
    instant instanceof DuckDBTimestampValue || instant instanceof DuckDBTimestampTZValue
      ? instant.micros
      : null
  return { stored: int64(), shown: timestamp(TimeUnit.MICROSECOND, zone), value }
}

function lists(valueType: DuckDBType): ArrowMapping {
  const item = arrowMapping(valueType)
  return {
    stored: list(field('item', item.stored)),
    shown: list(field('item', item.shown)),
    value: (value) =>
      value instanceof DuckDBListValue || value instanceof DuckDBArrayValue
        ? value.items.map(orNull(item))
        : null,
  }
}

function structs({ entryNames, entryTypes }: DuckDBStructType): ArrowMapping {
  const fields = entryNames.map((name, i) => ({ name, ...arrowMapping(entryTypes[i] as DuckDBType) }))
  return {
    stored: struct(fields.map(({ name, stored }) => field(name, stored))),
    shown: struct(fields.map(({ name, shown }) => field(name, shown))),
    value: (value) =>
      value instanceof DuckDBStructValue
        ? Object.fromEntries(
            fields.map((each) => [each.name, orNull(each)(value.entries[each.name] ?? null)]),
          )
        : null,
  }
}

function maps({ keyType, valueType }: DuckDBMapType): ArrowMapping {
  const key = arrowMapping(keyType)
  const item = arrowMapping(valueType)
  return {
    stored: map(field('key', key.stored, false), field('value', item.stored)),
    shown: map(field('key', key.shown, false), field('value', item.shown)),
    value: (value) =>
      value instanceof DuckDBMapValue
        ? value.entries.map((entry) => [key.value(entry.key), orNull(item)(entry.value)])
        : null,
  }
}

/** NULL stays NULL in every type. */
export function orNull({ value }: Pick<ArrowMapping, 'value'>): (cell: DuckDBValue) => unknown {
  return (cell) => (cell === null ? null : value(cell))
}
