import type { DuckDBConnection, DuckDBVector } from '@duckdb/node-api'
import { quoted } from './import-sql.ts'
import { popularitySql } from './popularity.ts'
import { NUMBERS, type ProductNumbers, type ProductSource, TEXTS } from './stored-product.ts'

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
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return
        yield Object.fromEntries(
          NUMBERS.map((name, column) => [name, doubles(chunk.getColumnVector(column), chunk.rowCount)]),
        ) as ProductNumbers
      }
    },
  }
}

function doubles(vector: DuckDBVector, count: number): Float64Array {
  const values = new Float64Array(count)
  for (let row = 0; row < count; row++) values[row] = (vector.getItem(row) as number | null) ?? Number.NaN
  return values
}

/** `concat` takes nulls as empty. */
const TEXTS_SQL = `concat(${TEXTS.join(', ')})`

function numbersSql(popularity: string): string {
  return NUMBERS.map((name) => {
    if (name === 'popularity') return popularity
    const text = TEXTS.find((one) => name === `${one}_bytes`)
    return text === undefined ? name : `coalesce(strlen(${text}), 0)`
  })
    .map((value) => `CAST(${value} AS DOUBLE)`)
    .join(', ')
}
