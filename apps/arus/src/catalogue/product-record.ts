import type { Category, Product } from './catalogue.ts'

/** A product as stored: its category's name and its discount are worked out when it is read. */
export type StoredProduct = Omit<Product, 'discount' | 'category'>

/**
 * A product's line: numbers, then texts.
 *
 *     popularity,price,category_id,stars,is_best_seller,bytes of each text…,reviews,list_price,bought_in_last_month;texts
 *
 * Numbers are decimal text, an empty one is null; texts follow one another without anything between, their lengths in
 * UTF-8 bytes having been said, so that they may hold any character, and the line is ended by a line feed. Written by DuckDB
 * and stored as it stands: a build neither makes objects nor encodes anything.
 */
const TEXTS = ['product_id', 'title', 'image_url', 'product_url'] as const
const FIRST_NUMBERS = ['price', 'category_id', 'stars', 'is_best_seller'] as const
const LAST_NUMBERS = ['reviews', 'list_price', 'bought_in_last_month'] as const

/** Positions of a line's numbers. A build reads those up to the last length; `decodeProduct` reads all. */
export const NUMBER = {
  popularity: 0,
  price: 1,
  categoryId: 2,
  stars: 3,
  isBestSeller: 4,
  productIdBytes: 5,
  titleBytes: 6,
  imageUrlBytes: 7,
  productUrlBytes: 8,
  reviews: 9,
  listPrice: 10,
  boughtInLastMonth: 11,
} as const

/** How many numbers a build reads of a line. */
export const NUMBERS_READ = NUMBER.productUrlBytes + 1

const COMMA = 44
const SEMICOLON = 59
const POINT = 46
/** A number of at most so many digits is exact in a double, and so is its quotient by a power of ten. */
const EXACT_DIGITS_MAX = 15
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS_MAX + 1 }, (_, exponent) => 10 ** exponent)

/** SQL of a product's line, without its line end. */
export function productLineSql(popularity: string): string {
  const numbers = [
    popularity,
    ...FIRST_NUMBERS.map((name) => (name === 'is_best_seller' ? `CAST(${name} AS TINYINT)` : name)),
    ...TEXTS.map((name) => `coalesce(strlen(${name}), 0)`),
    ...LAST_NUMBERS,
  ]
  // `concat` takes nulls as empty.
  return `concat(${numbers.join(`, ',', `)}, ';', ${TEXTS.join(', ')})`
}

/** The same line for a product in memory. */
export function productLine(product: StoredProduct, popularity: number): string {
  const numbers = [
    popularity,
    ...FIRST_NUMBERS.map((name) => (name === 'is_best_seller' ? Number(product[name]) : product[name])),
    ...TEXTS.map((name) => Buffer.byteLength(product[name] ?? '')),
    ...LAST_NUMBERS.map((name) => product[name]),
  ]
  return `${numbers.map((number) => number ?? '').join(',')};${TEXTS.map((name) => product[name] ?? '').join('')}`
}

/**
 * Reads the first `NUMBERS_READ` numbers of the line at `start` into `numbers`, NaN for null. Answers where its texts begin,
 * or -1 when the line's head is not whole before `end`.
 */
export function readLineHead(bytes: Buffer, start: number, end: number, numbers: Float64Array): number {
  let at = start
  for (let field = 0; field < NUMBERS_READ; field++) {
    const from = at
    let value = 0
    let point = -1
    let isPlain = true
    for (; at < end && bytes[at] !== COMMA; at++) {
      const digit = bytes[at]! - 48
      if (digit >= 0 && digit <= 9) value = value * 10 + digit
      else if (bytes[at] === POINT && point < 0) point = at
      else isPlain = false
    }
    if (at >= end) return -1
    if (at === from) value = Number.NaN
    else if (!isPlain || at - from > EXACT_DIGITS_MAX) value = Number(bytes.toString('latin1', from, at))
    else if (point >= 0) value /= POWERS_OF_TEN[at - point - 1]!
    numbers[field] = value
    at++
  }
  while (at < end && bytes[at] !== SEMICOLON) at++
  return at < end ? at + 1 : -1
}

/** The product whose line begins at `start`. The bytes are read before the call returns, so a temporary buffer will do. */
export function decodeProduct(
  bytes: Buffer,
  start: number,
  categories: ReadonlyMap<number, Category>,
): Product {
  const headEnd = bytes.indexOf(SEMICOLON, start)
  const numbers = bytes.toString('latin1', start, headEnd).split(',')
  let at = headEnd + 1
  const text = (lengthAt: number) => {
    const from = at
    at += Number(numbers[lengthAt])
    return bytes.toString('utf8', from, at)
  }
  const price = numberOrNull(numbers[NUMBER.price])
  const listPrice = numberOrNull(numbers[NUMBER.listPrice])
  const categoryId = numbers[NUMBER.categoryId]
  const category = categoryId === '' ? undefined : categories.get(Number(categoryId))
  return {
    product_id: text(NUMBER.productIdBytes),
    title: text(NUMBER.titleBytes),
    image_url: text(NUMBER.imageUrlBytes) || null,
    product_url: text(NUMBER.productUrlBytes) || null,
    stars: numberOrNull(numbers[NUMBER.stars]),
    reviews: Number(numbers[NUMBER.reviews]),
    price,
    list_price: listPrice,
    discount: discountOf(price, listPrice),
    category_id: category?.category_id ?? null,
    category: category?.name ?? null,
    is_best_seller: numbers[NUMBER.isBestSeller] === '1',
    bought_in_last_month: Number(numbers[NUMBER.boughtInLastMonth]),
  }
}

/** How far `price` is below `listPrice`, 0 to 1; null when either is missing or it is not lower. */
export function discountOf(price: number | null, listPrice: number | null): number | null {
  return price !== null && listPrice !== null && price < listPrice ? 1 - price / listPrice : null
}

function numberOrNull(field: string | undefined): number | null {
  return field === undefined || field === '' ? null : Number(field)
}
