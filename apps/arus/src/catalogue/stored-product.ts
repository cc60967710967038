import type { Product } from './catalogue.ts'

/** A product as stored: its category's name and its discount are worked out when it is read. */
export type StoredProduct = Omit<Product, 'discount' | 'category'>

/** A product's texts stand in a file one after another, without anything between, so that they may hold any character. */
export const TEXTS = ['product_id', 'title', 'image_url', 'product_url'] as const

/** What a build takes of a product beside its texts; the lengths are those of the texts, in UTF-8 bytes. */
export const NUMBERS = [
  'popularity',
  'price',
  'list_price',
  'stars',
  'reviews',
  'bought_in_last_month',
  'category_id',
  'is_best_seller',
  'product_id_bytes',
  'title_bytes',
  'image_url_bytes',
  'product_url_bytes',
] as const

/** Numbers of several products, a column each; NaN for null. */
export type ProductNumbers = Readonly<Record<(typeof NUMBERS)[number], Float64Array>>

/** The products of a build. */
export interface ProductSource {
  /** Writes every product's texts to a new file, each product's ended by a line feed. */
  writeTexts(file: string): Promise<void>
  /** The products' numbers in the order of their texts. A batch is read before the next is asked for. */
  numbers(): AsyncIterable<ProductNumbers>
}

/** How far `price` is below `listPrice`, 0 to 1; null when either is missing or it is not lower. */
export function discountOf(price: number | null, listPrice: number | null): number | null {
  return price !== null && listPrice !== null && price < listPrice ? 1 - price / listPrice : null
}
