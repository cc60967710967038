import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
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
      const options = `FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '${TEXT_END}', NULLSTR ''`
      await connection.run(
        `COPY (SELECT ${TEXTS.join(', ')} FROM ${relation}) TO ${quoted(file)} (${options})`,
      )
    },
    async *numbers({ withTextBytes = false } = {}) {
      const popularity = `CAST(${popularitySql(meanStars)} AS FLOAT)`
      const names = withTextBytes ? [...NUMBERS, ...TEXT_BYTES] : NUMBERS
      const result = await connection.stream(`SELECT ${numbersSql(names, popularity)} FROM ${relation}`)
      const columns = names.map(() => new Float64Array(CHUNK_ROWS))
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return
        const read = names.map((name, at) => [name, doubles(chunk, at, columns[at]!)])
        yield Object.fromEntries(read) as ProductNumbers
      }
    },
  }
}

/** A column of a chunk, in `room` as far as it goes: new arrays for every chunk keep the collector busy. */
function doubles(chunk: DuckDBDataChunk, column: number, room: Float64Array): Float64Array {
  const count = chunk.rowCount
  const vector = chunk.getColumnVector(column)
  const values = count <= room.length ? room.subarray(0, count) : new Float64Array(count)
  for (let row = 0; row < count; row++) values[row] = vector.getItem(row) as number
  return values
}

/** Without nulls, which take several times as long to read. */
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
