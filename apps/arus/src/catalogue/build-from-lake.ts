import type { DuckDBConnection, DuckDBDataChunk, DuckDBValue } from '@duckdb/node-api'
import type { Lake } from '../lake/lake.ts'
import type { OnProgress } from '../progress.ts'
import type { Category } from './catalogue.ts'
import { buildCatalogue, type ScoredProduct } from './catalogue-builder.ts'
import { interruptible } from './interruptible.ts'
import { popularitySql } from './popularity.ts'

export interface BuildFromLakeOptions {
  readonly lake: Lake
  /** The catalogue's folder. */
  readonly folder: string
  readonly nowMs: number
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/**
 * Builds the catalogue that is served from `silver.products` and `bronze.categories` as they stand, and makes it current: what an import does last,
 * and how a lost catalogue is made again. Answers its version. Failures as of `buildCatalogue`.
 */
export async function buildCatalogueFromLake(
  options: BuildFromLakeOptions,
): Promise<{ version: string; categoryCount: number }> {
  const { lake, folder, nowMs, onProgress, signal } = options
  const connection = await lake.duckdb.connect()
  try {
    return await interruptible(connection, signal, async () => {
      const { sql } = await lake.relation('silver.products')
      const { productCount, meanStars } = await readTotals(connection, sql)
      const known = await lake.relation('bronze.categories')
      const categories = await readCategories(connection, { silver: sql, categories: known.sql })
      const version = await buildCatalogue({
        folder,
        categories,
        productCount,
        products: readProducts(connection, { relation: sql, meanStars, categories }),
        nowMs,
        onProgress: (done) =>
          onProgress?.({ step: 'Building the catalogue', done, total: productCount, unit: 'products' }),
        ...(signal ? { signal } : {}),
      })
      return { version, categoryCount: categories.length }
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
     FROM (SELECT try_cast(id AS INTEGER) AS id, any_value(category_name) AS name FROM ${relations.categories}
         WHERE try_cast(id AS INTEGER) IS NOT NULL AND category_name IS NOT NULL GROUP BY 1) known
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

async function* readProducts(
  connection: DuckDBConnection,
  source: { relation: string; meanStars: number; categories: readonly Category[] },
): AsyncGenerator<ScoredProduct[]> {
  const categoryIndexes = new Map(source.categories.map(({ category_id }, index) => [category_id, index]))
  const result = await connection.stream(
    `SELECT product_id, title, image_url, product_url, stars::DOUBLE, reviews::DOUBLE, price::DOUBLE, list_price::DOUBLE,
       category_id::INTEGER, is_best_seller, bought_in_last_month::DOUBLE, (${popularitySql(source.meanStars)})::DOUBLE AS popularity
     FROM ${source.relation} ORDER BY popularity DESC, is_best_seller DESC, stars DESC NULLS LAST, product_id`,
  )
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    yield toProducts(chunk, categoryIndexes)
  }
}

function toProducts(chunk: DuckDBDataChunk, categoryIndexes: ReadonlyMap<number, number>): ScoredProduct[] {
  const columns = chunk.getColumns()
  const products: ScoredProduct[] = []
  for (let row = 0; row < chunk.rowCount; row++) {
    const categoryId = numberOrNull(columns[8]![row])
    products.push({
      product: {
        product_id: String(columns[0]![row]),
        title: String(columns[1]![row]),
        image_url: textOrNull(columns[2]![row]),
        product_url: textOrNull(columns[3]![row]),
        stars: numberOrNull(columns[4]![row]),
        reviews: Number(columns[5]![row]),
        price: numberOrNull(columns[6]![row]),
        list_price: numberOrNull(columns[7]![row]),
        category_index: categoryId === null ? null : (categoryIndexes.get(categoryId) ?? null),
        is_best_seller: columns[9]![row] === true,
        bought_in_last_month: Number(columns[10]![row]),
      },
      popularity: Number(columns[11]![row]),
    })
  }
  return products
}

function textOrNull(value: DuckDBValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function numberOrNull(value: DuckDBValue | undefined): number | null {
  return typeof value === 'number' ? value : null
}
