import {
  type DuckDBBlobValue,
  type DuckDBDataChunk,
  DuckDBListValue,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api'
import { batchType, Column, columnFromArray, type DataType } from '@uwdata/flechette'
import { type ArrowMapping, arrowMapping, orNull } from './arrow-types.ts'
import { type ListItems, listOf } from './list-vector.ts'

/** How a column of a page gets into Arrow. */
export interface ArrowColumn {
  readonly type: DataType
  /** SQL of what is read of a value. */
  value(column: string): string
  /** SQL that aggregates the values of a page, as `PageSelect` has it. */
  aggregates(value: string): readonly ((order: string) => string)[]
  /** The column, of its aggregates, which begin at `place`. */
  build(page: DuckDBDataChunk, place: number, rowCount: number): Column<unknown>
}

const INT32_BYTES = 4
const INT128_BYTES = 16

/**
 * Values of one width are taken as they lie in DuckDB's memory, which is as Arrow has them; texts are joined by DuckDB; nested values
 * and bytes go one by one through `arrowMapping`.
 */
export function arrowColumn(type: DuckDBType): ArrowColumn {
  const mapping = arrowMapping(type)
  const width = WIDTHS[type.typeId]
  if (width !== undefined) return fixed(mapping.shown, width)
  switch (type.typeId) {
    case DuckDBTypeId.DECIMAL:
    case DuckDBTypeId.HUGEINT:
      return decimals(type, mapping.shown)
    case DuckDBTypeId.BOOLEAN:
      return truths(mapping.shown)
    case DuckDBTypeId.BLOB:
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
    case DuckDBTypeId.STRUCT:
    case DuckDBTypeId.MAP:
      return oneByOne(mapping)
    default:
      return texts(mapping.shown)
  }
}

/** Bytes of a value, where Arrow's are the same as DuckDB's. */
const WIDTHS: Readonly<Partial<Record<DuckDBTypeId, number>>> = {
  [DuckDBTypeId.TINYINT]: 1,
  [DuckDBTypeId.UTINYINT]: 1,
  [DuckDBTypeId.SMALLINT]: 2,
  [DuckDBTypeId.USMALLINT]: 2,
  [DuckDBTypeId.INTEGER]: 4,
  [DuckDBTypeId.UINTEGER]: 4,
  [DuckDBTypeId.FLOAT]: 4,
  [DuckDBTypeId.DATE]: 4,
  [DuckDBTypeId.BIGINT]: 8,
  [DuckDBTypeId.UBIGINT]: 8,
  [DuckDBTypeId.DOUBLE]: 8,
  [DuckDBTypeId.TIME]: 8,
  [DuckDBTypeId.TIMESTAMP]: 8,
  [DuckDBTypeId.TIMESTAMP_TZ]: 8,
}

function fixed(type: DataType, width: number, value: ArrowColumn['value'] = (column) => column): ArrowColumn {
  return {
    type,
    value,
    aggregates: (each) => [(order) => `list(${each}${order})`],
    build: (page, place) => {
      const items = listOf(page, place, width)
      return columnOf(type, items, { values: typed(type, items.bytes) })
    },
  }
}

/** DuckDB's narrower decimals are widened to 128 bits first. */
function decimals(type: DuckDBType, shown: DataType): ArrowColumn {
  const scale =
    type.typeId === DuckDBTypeId.DECIMAL ? (type as unknown as { readonly scale: number }).scale : null
  return fixed(shown, INT128_BYTES, (column) =>
    scale === null ? column : `${column}::DECIMAL(38, ${scale})`,
  )
}

/** A byte each in DuckDB, a bit in Arrow. */
function truths(type: DataType): ArrowColumn {
  return {
    ...fixed(type, 1, (column) => `${column}::UTINYINT`),
    build: (page, place) => {
      const items = listOf(page, place, 1)
      const bits = new Uint8Array(Math.ceil(items.length / 8))
      for (let i = 0; i < items.length; i++)
        bits[i >> 3] = (bits[i >> 3] as number) | ((items.bytes[i] as number) << (i & 7))
      return columnOf(type, items, { values: bits })
    },
  }
}

/** All texts of the page as one, and the length of each. */
function texts(type: DataType): ArrowColumn {
  return {
    type,
    value: (column) => `${column}::VARCHAR`,
    aggregates: (each) => [
      (order) => `list(strlen(${each})::INTEGER${order})`,
      (order) => `encode(string_agg(${each}, ''${order}))`,
    ],
    build: (page, place) => {
      const items = listOf(page, place, INT32_BYTES)
      const bytes = page.getColumnVector(place + 1).getItem(0) as DuckDBBlobValue | null
      const values = bytes?.bytes ?? new Uint8Array(0)
      return columnOf(type, items, { offsets: offsetsOf(items), values })
    },
  }
}

function offsetsOf({ bytes, length }: ListItems): Int32Array {
  const lengths = new Int32Array(bytes.buffer, bytes.byteOffset, length)
  const offsets = new Int32Array(length + 1)
  for (let i = 0; i < length; i++) offsets[i + 1] = (offsets[i] as number) + (lengths[i] as number)
  return offsets
}

function oneByOne(mapping: ArrowMapping): ArrowColumn {
  return {
    type: mapping.shown,
    value: (column) => column,
    aggregates: (each) => [(order) => `list(${each}${order})`],
    build: (page, place) => {
      const list = page.getColumnVector(place).getItem(0)
      const items = list instanceof DuckDBListValue ? list.items : []
      return columnFromArray(items.map(orNull(mapping)), mapping.stored)
    },
  }
}

/** The same bytes as the numbers the type has them as: the library cuts values to the count of rows. */
function typed(type: DataType, { buffer, byteOffset, byteLength }: Uint8Array): ArrayBufferView {
  const { values: Numbers } = type as unknown as { readonly values: Int32ArrayConstructor }
  return new Numbers(buffer, byteOffset, byteLength / Numbers.BYTES_PER_ELEMENT)
}

function columnOf(
  type: DataType,
  { length, nullCount, validity }: ListItems,
  buffers: { readonly values: ArrayBufferView; readonly offsets?: Int32Array },
): Column<unknown> {
  const Batch = batchType(type)
  return new Column([new Batch({ type, length, nullCount, validity, ...buffers })], type)
}
