import type { Category, Product } from './catalogue.ts'

/** Between the fields of a record. Cannot occur in a field. */
export const FIELD_SEPARATOR = 0x1f
/** Stands for a line feed within a field, so that records can be lines of a file. */
const LINE_FEED_MARK = '\x1e'
const SEPARATOR_TEXT = '\x1f'

/** A product as stored: its category's name and its discount are worked out when it is read. */
export type StoredProduct = Omit<Product, 'discount' | 'category'>

/** Fields of a record, in this order, as text; an empty one is null. */
export const RECORD_FIELDS = [
  'product_id',
  'title',
  'image_url',
  'product_url',
  'stars',
  'reviews',
  'price',
  'list_price',
  'category_id',
  'is_best_seller',
  'bought_in_last_month',
] as const

/** Positions of the fields that a build reads from a record. */
export const FIELD = { productId: 0, title: 1, price: 6, categoryId: 8 } as const

/**
 * SQL of a product's line: its popularity, then the fields of its record. Written by DuckDB, so that a build neither makes
 * objects nor encodes anything: the bytes of the line go into the store as they are.
 */
export function productLineSql(popularity: string): string {
  // Asking first is three times as fast as translating every field: almost none holds such a character.
  const text = (column: string) =>
    `CASE WHEN contains(${column}, chr(10)) OR contains(${column}, chr(30)) OR contains(${column}, chr(31))
      THEN translate(${column}, chr(30) || chr(31) || chr(10), '  ' || chr(30)) ELSE coalesce(${column}, '') END`
  const number = (column: string) => `coalesce(CAST(${column} AS VARCHAR), '')`
  const fields = RECORD_FIELDS.map((name) => {
    if (name === 'is_best_seller') return `CAST(${name} AS INTEGER)`
    return name === 'title' || name.endsWith('_url') || name === 'product_id' ? text(name) : number(name)
  })
  return `concat_ws(chr(31), ${popularity}, ${fields.join(', ')})`
}

/** The same line, without its line end, for a product in memory. */
export function productLine(product: StoredProduct, popularity: number): string {
  const fields = RECORD_FIELDS.map((name) => {
    const value = product[name]
    if (typeof value === 'boolean') return value ? '1' : '0'
    return String(value ?? '')
      .replaceAll(LINE_FEED_MARK, ' ')
      .replaceAll(SEPARATOR_TEXT, ' ')
      .replaceAll('\n', LINE_FEED_MARK)
  })
  return [popularity, ...fields].join(SEPARATOR_TEXT)
}

/** The product in a record. The bytes are read before the call returns, so a temporary buffer will do. */
export function decodeProduct(record: Buffer, categories: ReadonlyMap<number, Category>): Product {
  const fields = record.toString().split(SEPARATOR_TEXT)
  const price = numberOrNull(fields[6])
  const listPrice = numberOrNull(fields[7])
  const category = fields[8] === '' ? undefined : categories.get(Number(fields[8]))
  return {
    product_id: textOf(fields[0]),
    title: textOf(fields[1]),
    image_url: textOf(fields[2]) || null,
    product_url: textOf(fields[3]) || null,
    stars: numberOrNull(fields[4]),
    reviews: Number(fields[5]),
    price,
    list_price: listPrice,
    discount: discountOf(price, listPrice),
    category_id: category?.category_id ?? null,
    category: category?.name ?? null,
    is_best_seller: fields[9] === '1',
    bought_in_last_month: Number(fields[10]),
  }
}

/** How far `price` is below `listPrice`, 0 to 1; null when either is missing or it is not lower. */
export function discountOf(price: number | null, listPrice: number | null): number | null {
  return price !== null && listPrice !== null && price < listPrice ? 1 - price / listPrice : null
}

function textOf(field: string | undefined): string {
  if (field === undefined) return ''
  return field.includes(LINE_FEED_MARK) ? field.replaceAll(LINE_FEED_MARK, '\n') : field
}

function numberOrNull(field: string | undefined): number | null {
  return field === undefined || field === '' ? null : Number(field)
}
