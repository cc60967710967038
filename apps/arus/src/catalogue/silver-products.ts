import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { collectGarbage } from './collect-garbage.ts'
import { quoted } from './import-sql.ts'
import { popularitySql } from './popularity.ts'
import {
  NUMBERS,
  type ProductNumbers,
  type ProductSource,
  TEXT_BYTES,
  TEXT_END,
  TEXTS,
} from './stored-product.ts'

/** Rows of a chunk of DuckDB. */
const CHUNK_ROWS = 2048
/** Chunks, of some 150 kB each, that may wait to be given back. */
const CHUNKS_WAITING_MAX = 32

/**
 * The products of a relation that is like `silver.products`. Both queries go through its files in one order only on one
 * thread: see `onOneThread`.
 */
export function silverProducts(
  connection: DuckDBConnection,
  { relation, meanStars }: { readonly relation: string; readonly meanStars: number },
): ProductSource {
  return {
    async writeTexts(file) {
      // One column, and forced to be quoted, by nothing: else each text is searched for what would need quotes.
      const options = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', FORCE_QUOTE (line)"
      const line = `concat(${TEXTS.join(`, '${TEXT_END}', `)})`
      await connection.run(`COPY (SELECT ${line} AS line FROM ${relation}) TO ${quoted(file)} (${options})`)
    },
    async *numbers({ withTextBytes = false } = {}) {
      const popularity = `CAST(${popularitySql(meanStars)} AS FLOAT)`
      const names = withTextBytes ? [...NUMBERS, ...TEXT_BYTES] : NUMBERS
      const result = await connection.stream(`SELECT ${numbersSql(names, popularity)} FROM ${relation}`)
      const columns = names.map(() => new Float64Array(CHUNK_ROWS))
      for (let read = 1; ; read++) {
        if (read % CHUNKS_WAITING_MAX === 0) collectGarbage('minor')
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return
        const found = names.map((name, at) => [name, doubles(chunk, at, columns[at]!)])
        yield Object.fromEntries(found) as ProductNumbers
      }
    },
  }
}

/** A column of a chunk, of doubles and no nulls, copied to `room` as far as it goes: DuckDB's memory goes with the chunk. */
function doubles({ chunk, rowCount }: DuckDBDataChunk, column: number, room: Float64Array): Float64Array {
  const vector = duckdb.data_chunk_get_vector(chunk, column)
  const { buffer, byteOffset } = duckdb.vector_get_data(vector, rowCount * room.BYTES_PER_ELEMENT)
  const found = new Float64Array(buffer, byteOffset, rowCount)
  if (rowCount > room.length) return found.slice()
  room.set(found)
  return room.subarray(0, rowCount)
}

/** Without nulls: see `doubles`. */
function numbersSql(names: readonly string[], popularity: string): string {
  return names
    .map((name) => {
      if (name === 'popularity') return popularity
      const text = TEXTS.find((one) => name === `${one}_bytes`)
      return text === undefined ? name : `coalesce(strlen(${text}), 0)`
    })
    .map((value) => `coalesce(CAST(${value} AS DOUBLE), 'nan')`)
    .join(', ')
}
