import { join } from 'node:path'
import { ArusError } from '../../errors.ts'
import type { DuckDb } from '../../lake/duckdb.ts'
import { loadColumns } from './loaded-file.ts'
import { asRows, sqlName, sqlText } from './rows.ts'

export interface SampleOptions {
  readonly productsFile: string
  readonly count: number
  readonly seed: number
  readonly outFile: string
  readonly duckdb: DuckDb
  readonly temporaryFolder: string
}

/**
 * Writes a random sample as CSV with the file's own columns; returns how many rows. Which rows depends on the seed and the
 * rows alone (those with the smallest MD5 of seed and row), so it is the same on every machine. Throws `FILE_UNREADABLE`, `CSV_INVALID`.
 */
export async function writeSample({
  productsFile,
  count,
  seed,
  outFile,
  duckdb,
  temporaryFolder,
}: SampleOptions): Promise<number> {
  const connection = await duckdb.connect()
  try {
    const { relation, columns } = await loadColumns(
      connection,
      productsFile,
      join(temporaryFolder, 'sampled.parquet'),
    )
    const row = `concat_ws(chr(31), ${columns.map((name) => `coalesce(${sqlName(name)}, chr(30))`).join(', ')})`
    const chosen = `SELECT * EXCLUDE (order_key) FROM (SELECT *, md5(${sqlText(`${seed}/`)} || ${row}) AS order_key FROM ${relation} ORDER BY order_key LIMIT ${count}) ORDER BY order_key`
    await connection
      .run(`COPY (${chosen}) TO ${sqlText(outFile)} (FORMAT csv, HEADER true)`)
      .catch((error: unknown) => {
        throw new ArusError(
          'FILE_UNREADABLE',
          `${outFile} could not be written: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
          { cause: error },
        )
      })
    const [written] = await asRows(
      connection,
      `SELECT least(${count}, count(*))::INTEGER AS n FROM ${relation}`,
    )
    return Number(written?.n)
  } finally {
    connection.closeSync()
  }
}
