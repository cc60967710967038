import { ArusError } from '../errors.ts'
import type { FieldKind } from './csv-kernel.ts'
import type { CsvSource } from './csv-source.ts'

/** Columns of a products file by meaning; each is a bronze column, and holds the text as it stands. */
export const PRODUCT_COLUMNS = {
  asin: ['asin', 'parent_asin', 'product_id'],
  title: ['title', 'product_title', 'name'],
  imgUrl: ['imgurl', 'img_url', 'image_url', 'image'],
  productURL: ['producturl', 'product_url', 'url'],
  stars: ['stars', 'average_rating', 'rating'],
  reviews: ['reviews', 'rating_number', 'review_count'],
  price: ['price'],
  listPrice: ['listprice', 'list_price'],
  category_id: ['category_id', 'categoryid'],
  categoryName: ['categoryname', 'category_name', 'category', 'main_category'],
  isBestSeller: ['isbestseller', 'is_best_seller'],
  boughtInLastMonth: ['boughtinlastmonth', 'bought_in_last_month'],
} as const

export type ProductColumn = keyof typeof PRODUCT_COLUMNS

const KINDS: Readonly<Record<ProductColumn, FieldKind>> = {
  asin: 'id',
  title: 'title',
  imgUrl: 'address',
  productURL: 'address',
  stars: 'stars',
  reviews: 'count',
  price: 'price',
  listPrice: 'price',
  category_id: 'any',
  categoryName: 'any',
  isBestSeller: 'truth',
  boughtInLastMonth: 'count',
}

const REQUIRED: readonly ProductColumn[] = ['asin', 'title']

/** Columns of a categories file by meaning. */
export const CATEGORY_COLUMNS = {
  id: ['id', 'category_id', 'categoryid'],
  category_name: ['category_name', 'categoryname', 'name', 'category'],
} as const

/** Position in the file of each column it has; order and case are free. Throws `CSV_INVALID` when a required one is missing. */
export function locateProductColumns(source: CsvSource): ReadonlyMap<ProductColumn, number> {
  return locate(source, PRODUCT_COLUMNS, REQUIRED)
}

/** What each column of the file holds, by position. */
export function productFieldKinds(source: CsvSource, at: ReadonlyMap<ProductColumn, number>): FieldKind[] {
  const kinds = source.columns.map((): FieldKind => 'any')
  for (const [name, position] of at) kinds[position] = KINDS[name]
  return kinds
}

/** As `locateProductColumns`, for a categories file. */
export function locateCategoryColumns(source: CsvSource): ReadonlyMap<keyof typeof CATEGORY_COLUMNS, number> {
  return locate(source, CATEGORY_COLUMNS, ['id', 'category_name'])
}

function locate<Name extends string>(
  source: CsvSource,
  known: Readonly<Record<Name, readonly string[]>>,
  required: readonly Name[],
): ReadonlyMap<Name, number> {
  const header = source.columns.map((column) => column.toLowerCase())
  const found = new Map<Name, number>()
  for (const name of Object.keys(known) as Name[]) {
    const position = known[name].map((alias) => header.indexOf(alias)).find((at) => at >= 0)
    if (position !== undefined) found.set(name, position)
  }
  const missing = required.filter((name) => !found.has(name))
  if (missing.length === 0) return found
  const columns = source.columns.join(', ').slice(0, 300)
  throw new ArusError(
    'CSV_INVALID',
    `${source.file} has no column ${missing.join(' and no column ')}; its first line has: ${columns}`,
    { details: { missing, columns: source.columns } },
  )
}
