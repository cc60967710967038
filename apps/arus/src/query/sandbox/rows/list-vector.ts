import type { DuckDBDataChunk } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'

/** Items of one list, as they lie in DuckDB's memory. */
export interface ListItems {
  readonly length: number
  /** A copy; items that are NULL are zero. */
  readonly bytes: Uint8Array
  /** A bit an item, the lowest first, set where it is not NULL; none where no item is NULL. */
  readonly validity: Uint8Array
  readonly nullCount: number
}

const NONE: Uint8Array = new Uint8Array(0)

/** The list in the first row of a column, its items `itemBytes` wide each. Every item of the column must be of that row. */
export function listOf({ chunk }: DuckDBDataChunk, column: number, itemBytes: number): ListItems {
  const vector = duckdb.data_chunk_get_vector(chunk, column)
  const items = duckdb.list_vector_get_child(vector)
  const length = duckdb.list_vector_get_size(vector)
  if (length === 0) return { length, bytes: NONE, validity: NONE, nullCount: 0 }
  const bytes = duckdb.vector_get_data(items, length * itemBytes).slice()
  const words = Math.ceil(length / 64)
  const validity = duckdb.vector_get_validity(items, words * 8)?.slice(0, Math.ceil(length / 8)) ?? NONE
  const nullCount = validity === NONE ? 0 : clearNulls(bytes, itemBytes, validity)
  return { length, bytes, validity: nullCount === 0 ? NONE : validity, nullCount }
}

/** True for an item that is not NULL. */
function isValid(validity: Uint8Array, item: number): boolean {
  return validity.length === 0 || (((validity[item >> 3] as number) >> (item & 7)) & 1) === 1
}

/** Memory of what is NULL holds anything: it may be another asker's. */
function clearNulls(bytes: Uint8Array, itemBytes: number, validity: Uint8Array): number {
  const length = bytes.byteLength / itemBytes
  let nullCount = 0
  for (let item = 0; item < length; item++) {
    if (isValid(validity, item)) continue
    nullCount += 1
    bytes.fill(0, item * itemBytes, (item + 1) * itemBytes)
  }
  return nullCount
}
