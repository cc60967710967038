import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../../errors.ts'
import type { DuckDb } from '../../lake/duckdb.ts'
import type { OnProgress } from '../../progress.ts'
import { openCsvSource } from '../csv-source.ts'
import { categoryLink } from './category-link.ts'
import { columnFacts } from './column-facts.ts'
import { fiveVs } from './five-vs.ts'
import type { DuplicateFacts, ExploreReport } from './report.ts'
import { asRows, sqlName, sqlText } from './rows.ts'

export interface ExploreOptions {
  readonly productsFile: string
  readonly categoriesFile: string | null
  readonly duckdb: DuckDb
  /** For the file's columns while they are being asked; the caller removes it. */
  readonly temporaryFolder: string
  readonly onProgress: OnProgress
  readonly signal: AbortSignal
}

const SAMPLE_ROWS = 5

/**
 * Reads the file once into compressed columns, then asks each column on its own, so that memory holds one column at a
 * time. Throws `FILE_UNREADABLE`, `CSV_INVALID`.
 */
export async function explore(options: ExploreOptions): Promise<ExploreReport> {
  const { productsFile, categoriesFile, duckdb, temporaryFolder, onProgress, signal } = options
  const startedAt = performance.now()
  const connection = await duckdb.connect()
  const onAbort = () => connection.interrupt()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    onProgress({ step: `Reading ${productsFile}`, done: 0, total: 1, unit: 'files' })
    const loaded = await loadColumns(connection, productsFile, join(temporaryFolder, 'products.parquet'))
    onProgress({ step: `Reading ${productsFile}`, done: 1, total: 1, unit: 'files' })
    const columns = []
    for (const [n, name] of loaded.columns.entries()) {
      signal.throwIfAborted()
      onProgress({ step: 'Asking columns', done: n, total: loaded.columns.length, unit: 'columns' })
      columns.push(await columnFacts(connection, loaded.relation, name, loaded.rows))
    }
    onProgress({
      step: 'Asking columns',
      done: loaded.columns.length,
      total: loaded.columns.length,
      unit: 'columns',
    })
    const duplicates = await duplicateFacts(connection, loaded)
    const link =
      categoriesFile === null ? null : await linkTo(connection, loaded, categoriesFile, temporaryFolder)
    const file = {
      path: productsFile,
      size_bytes: (await stat(productsFile)).size,
      rows: loaded.rows,
      columns: loaded.columns.length,
      unreadable_rows: loaded.unreadable,
    }
    return {
      file,
      columns,
      duplicates,
      samples: (await asRows(
        connection,
        `SELECT * FROM ${loaded.relation} LIMIT ${SAMPLE_ROWS}`,
      )) as ExploreReport['samples'],
      categories: link,
      five_vs: await fiveVs(connection, loaded, { file, columns, duplicates, link }),
      took_ms: Math.round(performance.now() - startedAt),
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    connection.closeSync()
  }
}

/** A file's columns as text, ready to be asked. */
export interface LoadedFile {
  /** FROM text. */
  readonly relation: string
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
    await connection.run('DROP TABLE IF EXISTS bad_rows; DROP TABLE IF EXISTS bad_scans')
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
  return { relation, columns, rows, unreadable: Number(counts?.bad) }
}

/**
 * Rows that repeat another one: only rows whose 64-bit hash occurs twice are compared as a whole, which is exact, since
 * equal rows have equal hashes.
 */
async function duplicateFacts(
  connection: DuckDBConnection,
  { relation, columns }: LoadedFile,
): Promise<DuplicateFacts> {
  const hash = `hash(${columns.map(sqlName).join(', ')})`
  const [rows] = await asRows(
    connection,
    `WITH twice AS (SELECT ${hash} AS h FROM ${relation} GROUP BY 1 HAVING count(*) > 1),
       suspects AS (SELECT * FROM ${relation} WHERE ${hash} IN (SELECT h FROM twice))
     SELECT coalesce(sum(n - 1), 0)::INTEGER AS repeated FROM (SELECT count(*) AS n FROM suspects GROUP BY ${columns.map(sqlName).join(', ')})`,
  )
  const asin = columns.find((name) => name.toLowerCase() === 'asin')
  if (asin === undefined) return { rows: Number(rows?.repeated), asin: null }
  const [repeats] = await asRows(
    connection,
    `SELECT (count(${sqlName(asin)}) - count(DISTINCT ${sqlName(asin)}))::INTEGER AS repeated FROM ${relation}`,
  )
  return { rows: Number(rows?.repeated), asin: Number(repeats?.repeated) }
}

async function linkTo(connection: DuckDBConnection, products: LoadedFile, file: string, folder: string) {
  const categories = await loadColumns(connection, file, join(folder, 'categories.parquet'))
  return categoryLink(connection, { products, categories, path: file })
}
