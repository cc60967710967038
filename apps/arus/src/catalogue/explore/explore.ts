import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { DuckDb } from '../../lake/duckdb.ts'
import type { OnProgress } from '../../progress.ts'
import { categoryLink } from './category-link.ts'
import { columnFacts } from './column-facts.ts'
import { fiveVs } from './five-vs.ts'
import { type LoadedFile, loadColumns } from './loaded-file.ts'
import type { DuplicateFacts, ExploreReport } from './report.ts'
import { asRows, sqlName } from './rows.ts'

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
      samples: (await asRows(connection, loaded.head(SAMPLE_ROWS))) as ExploreReport['samples'],
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
