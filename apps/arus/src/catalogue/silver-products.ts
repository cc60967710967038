import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { quoted } from './import-sql.ts'
import { popularitySql } from './popularity.ts'
import { NUMBERS, type ProductNumbers, type ProductSource, TEXTS } from './stored-product.ts'

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
      const options = `FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x1c'`
      await connection.run(`COPY (SELECT ${TEXTS_SQL} FROM ${relation}) TO ${quoted(file)} (${options})`)
    },
    async *numbers() {
      const popularity = `CAST(${popularitySql(meanStars)} AS FLOAT)`
      const result = await connection.stream(`SELECT ${numbersSql(popularity)} FROM ${relation}`)
      const columns = NUMBERS.map(() => new Float64Array(CHUNK_ROWS))
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return
        const read = NUMBERS.map((name, at) => [name, doubles(chunk, at, columns[at]!)])
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

/** `concat` takes nulls as empty. */
const TEXTS_SQL = `concat(${TEXTS.join(', ')})`

/** Without nulls, which take several times as long to read. */
function numbersSql(popularity: string): string {
  return NUMBERS.map((name) => {
    if (name === 'popularity') return popularity
    const text = TEXTS.find((one) => name === `${one}_bytes`)
    return text === undefined ? name : `coalesce(strlen(${text}), 0)`
  })
    .map((value) => `coalesce(CAST(${value} AS DOUBLE), 'nan')`)
    .join(', ')
}
