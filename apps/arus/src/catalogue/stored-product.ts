import type { Product } from './catalogue.ts'

/** A product as stored: its category's name and its discount are worked out when it is read. */
export type StoredProduct = Omit<Product, 'discount' | 'category'>

/** A product's texts stand in a file one after another, `TEXT_END` between them and a line feed after the last. */
export const TEXTS = ['product_id', 'title', 'image_url', 'product_url'] as const

/** A text may hold it, as it may a line feed: see `ProductSource.numbers`. */
export const TEXT_END = '\x1c'

/** Lengths of the texts, in UTF-8 bytes. */
export const TEXT_BYTES = ['product_id_bytes', 'title_bytes', 'image_url_bytes', 'product_url_bytes'] as const

/** What a build takes of a product beside its texts. */
export const NUMBERS = [
  'popularity',
  'price',
  'list_price',
  'stars',
  'reviews',
  'bought_in_last_month',
  'category_id',
  'is_best_seller',
] as const

/** Numbers of several products, a column each; NaN for null. */
export type ProductNumbers = Readonly<
  Record<(typeof NUMBERS)[number], Float64Array> & Partial<Record<(typeof TEXT_BYTES)[number], Float64Array>>
>

/** The products of a build. */
export interface ProductSource {
  /** Writes every product's texts to a new file, each product's ended by a line feed. */
  writeTexts(file: string): Promise<void>
  /**
   * The products' numbers in the order of their texts. A batch is read before the next is asked for. `withTextBytes`: with the
   * lengths of texts, for those that hold what should end them; to ask for them takes as long as all the rest.
   */
  numbers(options?: { readonly withTextBytes?: boolean }): AsyncIterable<ProductNumbers>
}

/** How far `price` is below `listPrice`, 0 to 1; null when either is missing or it is not lower. */
export function discountOf(price: number | null, listPrice: number | null): number | null {
  return price !== null && listPrice !== null && price < listPrice ? 1 - price / listPrice : null
}
