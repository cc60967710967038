import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../../errors.ts'
import { openCsvSource } from '../csv-source.ts'
import { asRows, sqlText } from './rows.ts'

/** A file's columns as text, ready to be asked. */
export interface LoadedFile {
  /** FROM text. */
  readonly relation: string
  /** SELECT of the first rows of the file. */
  readonly head: (count: number) => string
  readonly columns: readonly string[]
  readonly rows: number
  /** Lines that are no rows. */
  readonly unreadable: number
}

/** Copies a CSV (plain or gzip) into a Parquet file of text columns, empty values as null. */
export async function loadColumns(
  connection: DuckDBConnection,
  file: string,
  target: string,
): Promise<LoadedFile> {
  const source = await openCsvSource(file)
  const csv = `read_csv(${sqlText(file)}, all_varchar = true, header = true, delim = ${sqlText(source.shape.delimiter)}, quote = '"', escape = '"', strict_mode = false, max_line_size = 4194304, store_rejects = true, rejects_table = 'bad_rows', rejects_scan = 'bad_scans', rejects_limit = 0)`
  try {
    // Rows stay in the file's order, so that the first ones are the first ones.
    await connection.run(
      'SET preserve_insertion_order = true; DROP TABLE IF EXISTS bad_rows; DROP TABLE IF EXISTS bad_scans',
    )
    await connection.run(
      `COPY (SELECT nullif(COLUMNS(*), '') FROM ${csv}) TO ${sqlText(target)} (FORMAT parquet, COMPRESSION zstd)`,
    )
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw new ArusError('CSV_INVALID', `${file} could not be read as CSV: ${message}`, { cause: error })
  }
  const relation = `read_parquet(${sqlText(target)})`
  const columns = (await asRows(connection, `DESCRIBE SELECT * FROM ${relation}`)).map((row) =>
    String(row.column_name),
  )
  const [counts] = await asRows(
    connection,
    `SELECT count(*)::INTEGER AS rows, (SELECT count(DISTINCT line)::INTEGER FROM bad_rows) AS bad FROM ${relation}`,
  )
  const rows = Number(counts?.rows)
  if (rows === 0) throw new ArusError('CSV_INVALID', `${file} has a header but no row`)
  const head = (count: number) =>
    `SELECT * EXCLUDE (file_row_number) FROM read_parquet(${sqlText(target)}, file_row_number = true) ORDER BY file_row_number LIMIT ${count}`
  return { relation, head, columns, rows, unreadable: Number(counts?.bad) }
}
