import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Lake } from '../lake/lake.ts'
import type { OnProgress } from '../progress.ts'
import type { Category } from './catalogue.ts'
import { buildCatalogue } from './catalogue-builder.ts'
import { CATALOGUE_FORMAT } from './catalogue-files.ts'
import { importedSource, writeMarker } from './import-marker.ts'
import { displayName, quoted } from './import-sql.ts'
import { interruptible } from './interruptible.ts'
import { popularitySql } from './popularity.ts'
import { productLineSql } from './product-record.ts'
import { makeWorkingFolder } from './working-folder.ts'

const LINES_CHUNK_BYTES = 1 << 21

export interface BuildFromLakeOptions {
  readonly lake: Lake
  /** The catalogue's folder. */
  readonly folder: string
  readonly nowMs: number
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/**
 * Builds the catalogue anew where an older Arus made it, whose files this one does not read. The lake is left as it is.
 * Answers whether it did.
 */
export async function bringUpToDate(options: BuildFromLakeOptions): Promise<boolean> {
  const source = await importedSource(options.folder)
  if (source === null || source.format === CATALOGUE_FORMAT) return false
  const { version } = await buildCatalogueFromLake(options)
  const report = { ...source.report, catalogue_version: version }
  await writeMarker(options.folder, { ...source, format: CATALOGUE_FORMAT, report })
  return true
}

/**
 * Builds the catalogue that is served from `silver.products` and `bronze.categories` as they stand, and makes it current:
 * what an import does last, and how a lost catalogue is made again. Answers its version. Failures as of `buildCatalogue`.
 */
export async function buildCatalogueFromLake(
  options: BuildFromLakeOptions,
): Promise<{ version: string; categoryCount: number }> {
  const { lake, folder, nowMs, onProgress, signal } = options
  const connection = await lake.duckdb.connect()
  const workingFolder = await makeWorkingFolder(folder)
  const file = join(workingFolder, 'products.lines')
  try {
    return await interruptible(connection, signal, async () => {
      const { sql } = await lake.relation('silver.products')
      const { productCount, meanStars } = await readTotals(connection, sql)
      const known = await lake.relation('bronze.categories')
      const categories = await readCategories(connection, { silver: sql, categories: known.sql })
      await writeLines(connection, { relation: sql, meanStars, file })
      const version = await buildCatalogue({
        folder,
        categories,
        productCount,
        lines: readChunks(file),
        nowMs,
        onProgress: (done) =>
          onProgress?.({ step: 'Building the catalogue', done, total: productCount, unit: 'products' }),
        ...(signal ? { signal } : {}),
      })
      return { version, categoryCount: categories.length }
    })
  } finally {
    connection.closeSync()
    await rm(workingFolder, { recursive: true, force: true })
  }
}

async function readTotals(connection: DuckDBConnection, relation: string) {
  const reader = await connection.runAndReadAll(
    `SELECT count(*)::INTEGER, coalesce(avg(stars) FILTER (stars > 0), 0) FROM ${relation}`,
  )
  const [productCount, meanStars] = reader.getRows()[0] ?? []
  return { productCount: Number(productCount), meanStars: Number(meanStars) }
}

/** Every category of the shop, those without a product too. */
async function readCategories(
  connection: DuckDBConnection,
  relations: { silver: string; categories: string },
): Promise<Category[]> {
  const reader = await connection.runAndReadAll(
    `SELECT coalesce(known.id, used.id), coalesce(used.name, known.name), coalesce(used.product_count, 0)
     FROM (SELECT try_cast(id AS INTEGER) AS id, any_value(${displayName('category_name')}) AS name FROM ${relations.categories}
         WHERE try_cast(id AS INTEGER) IS NOT NULL AND ${displayName('category_name')} IS NOT NULL GROUP BY 1) known
     FULL JOIN (SELECT category_id::INTEGER AS id, any_value(category) AS name, count(*)::INTEGER AS product_count
         FROM ${relations.silver} WHERE category_id IS NOT NULL GROUP BY 1) used ON used.id = known.id
     ORDER BY 1`,
  )
  return reader.getRows().map(([category_id, name, product_count]) => ({
    category_id: Number(category_id),
    name: String(name),
    product_count: Number(product_count),
  }))
}

/** Writes the products as lines to a file. DuckDB formats them; no row becomes an object. */
async function writeLines(
  connection: DuckDBConnection,
  source: { relation: string; meanStars: number; file: string },
): Promise<void> {
  const popularity = `CAST(${popularitySql(source.meanStars)} AS FLOAT)`
  await connection.run(`COPY (
      SELECT ${productLineSql('popularity')} FROM (SELECT *, ${popularity} AS popularity FROM ${source.relation})
    ) TO ${quoted(source.file)} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x1c')`)
}

/** The bytes of a file through one buffer, which the next chunk overwrites. */
async function* readChunks(file: string): AsyncGenerator<Buffer> {
  await using handle = await open(file, 'r')
  const buffer = Buffer.allocUnsafe(LINES_CHUNK_BYTES)
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}
