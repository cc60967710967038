import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../../errors.ts'
import { CATEGORY_COLUMNS, PRODUCT_COLUMNS } from '../product-columns.ts'
import type { LoadedFile } from './loaded-file.ts'
import type { CategoryLink } from './report.ts'
import { asRows, sqlName } from './rows.ts'

const LISTED = 10

export interface LinkedFiles {
  readonly products: LoadedFile
  readonly categories: LoadedFile
  readonly path: string
}

/** How products and categories go together, by id, or by name in files that name them. Throws `CSV_INVALID`. */
export async function categoryLink(
  connection: DuckDBConnection,
  { products, categories, path }: LinkedFiles,
): Promise<CategoryLink> {
  const id = find(categories, CATEGORY_COLUMNS.id)
  const name = find(categories, CATEGORY_COLUMNS.category_name)
  const byId = find(products, PRODUCT_COLUMNS.category_id)
  const byName = find(products, PRODUCT_COLUMNS.categoryName)
  const product = byId ?? byName
  const category = byId === undefined ? name : id
  if (category === undefined || product === undefined) {
    throw new ArusError(
      'CSV_INVALID',
      `${path} needs the columns id and category_name, and the products category_id or categoryName; found ${categories.columns.join(', ')}`,
    )
  }
  const key = `trim(p.${sqlName(product)}) = trim(c.${sqlName(category)})`
  const [counts] = await asRows(
    connection,
    `SELECT (SELECT count(*)::INTEGER FROM ${categories.relation}) AS categories,
       (SELECT count(*)::INTEGER FROM ${products.relation} p WHERE NOT EXISTS (FROM ${categories.relation} c WHERE ${key})) AS unmatched,
       (SELECT count(*)::INTEGER FROM ${categories.relation} c WHERE NOT EXISTS (FROM ${products.relation} p WHERE ${key})) AS unused`,
  )
  const unmatched = await asRows(
    connection,
    `SELECT DISTINCT p.${sqlName(product)} AS id FROM ${products.relation} p WHERE p.${sqlName(product)} IS NOT NULL AND NOT EXISTS (FROM ${categories.relation} c WHERE ${key}) ORDER BY 1 LIMIT ${LISTED}`,
  )
  const largest = await asRows(
    connection,
    `SELECT c.name, count(*)::INTEGER AS n FROM ${products.relation} p
     JOIN (SELECT trim(${sqlName(category)}) AS key, any_value(${sqlName(name ?? category)}) AS name FROM ${categories.relation} GROUP BY 1) c
       ON trim(p.${sqlName(product)}) = c.key GROUP BY c.key, c.name ORDER BY n DESC, 1 LIMIT ${LISTED}`,
  )
  return {
    path,
    categories: Number(counts?.categories),
    unmatched_products: Number(counts?.unmatched),
    unmatched_ids: unmatched.map((row) => String(row.id)),
    unused: Number(counts?.unused),
    largest: largest.map((row) => ({ name: String(row.name), products: Number(row.n) })),
  }
}

function find(file: LoadedFile, aliases: readonly string[]): string | undefined {
  return file.columns.find((column) => aliases.includes(column.toLowerCase()))
}
