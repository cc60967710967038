import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Lake } from '../lake/lake.ts'
import { lockIfFree } from '../operations/server-lock.ts'
import type { OnProgress } from '../progress.ts'
import type { Category } from './catalogue.ts'
import { buildCatalogue } from './catalogue-builder.ts'
import { CATALOGUE_FORMAT } from './catalogue-files.ts'
import { importedSource, writeMarker } from './import-marker.ts'
import { displayName } from './import-sql.ts'
import { interruptible } from './interruptible.ts'
import { haveSameRows, isSameCommit, type LakeContent, newestContent } from './lake-content.ts'
import { onOneThread } from './one-thread.ts'
import { silverProducts } from './silver-products.ts'

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
  const { version, content } = await buildCatalogueFromLake(options)
  const report = { ...source.report, catalogue_version: version }
  await writeMarker(options.folder, { ...source, format: CATALOGUE_FORMAT, lake: content, report })
  return true
}

/**
 * Builds the catalogue from the products of the lake, for a folder that has none that an import finished: a new machine beside a lake in a
 * bucket, or an import that was cut short. Answers whether it did: not where the lake has no products.
 */
export async function restoreFromLake(options: BuildFromLakeOptions): Promise<boolean> {
  const tables = await options.lake.describe()
  if (!tables.some(({ name, rowCount }) => name === 'silver.products' && rowCount > 0)) return false
  await replaceByLake(options)
  return true
}

/** In the catalogue's folder: held by whoever replaces the catalogue of a shop that is open. */
export const BUILD_LOCK = 'build.lock'

/**
 * Builds the catalogue anew where `silver.products` has other rows than it was built from: another server imported them. `busy` where an
 * import into this folder is at work, whose catalogue will be newer. A lake without products replaces nothing.
 */
export async function followLake(options: BuildFromLakeOptions): Promise<'built' | 'unchanged' | 'busy'> {
  const { lake, folder } = options
  const release = lockIfFree(join(folder, BUILD_LOCK))
  if (release === null) return 'busy'
  try {
    const source = await importedSource(folder)
    const content = await newestContent(lake)
    const isEmpty = (await lake.table('silver.products')).known.files.size === 0
    if (isEmpty || (source?.lake !== undefined && isSameCommit(source.lake, content))) return 'unchanged'
    if (source?.lake !== undefined && (await haveSameRows(lake, source.lake, content))) {
      await writeMarker(folder, { ...source, lake: content })
      return 'unchanged'
    }
    await replaceByLake(options)
    return 'built'
  } finally {
    release()
  }
}

async function replaceByLake(options: BuildFromLakeOptions): Promise<void> {
  const { version, content } = await buildCatalogueFromLake(options)
  const report = { products_file: null, catalogue_version: version }
  const marker = { format: CATALOGUE_FORMAT, products: null, categories: null, lake: content, report }
  await writeMarker(options.folder, marker)
}

/**
 * Builds the catalogue that is served from `silver.products` and `bronze.categories` as they stand, and makes it current:
 * what an import does last, and how a lost catalogue is made again. Answers its version, and what it was built from. Failures as of
 * `buildCatalogue`.
 */
export async function buildCatalogueFromLake(
  options: BuildFromLakeOptions,
): Promise<{ version: string; categoryCount: number; content: LakeContent }> {
  const { lake, folder, nowMs, onProgress, signal } = options
  const connection = await lake.duckdb.connect()
  try {
    return await interruptible(connection, signal, async () => {
      const content = await newestContent(lake)
      const { sql } = await lake.relation('silver.products', content['silver.products'].version)
      const { productCount, meanStars } = await readTotals(connection, sql)
      const known = await lake.relation('bronze.categories', content['bronze.categories'].version)
      const categories = await readCategories(connection, { silver: sql, categories: known.sql })
      const version = await onOneThread(connection, () =>
        buildCatalogue({
          folder,
          categories,
          products: silverProducts(connection, { relation: sql, meanStars }),
          nowMs,
          onProgress: (done) =>
            onProgress?.({ step: 'Building the catalogue', done, total: productCount, unit: 'products' }),
          ...(signal ? { signal } : {}),
        }),
      )
      return { version, categoryCount: categories.length, content }
    })
  } finally {
    connection.closeSync()
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
