/** A product as it is served. Prices are in the shop's currency; null means none is given. */
export interface Product {
  readonly product_id: string
  readonly title: string
  readonly image_url: string | null
  readonly product_url: string | null
  /** Mean rating, 0 to 5. */
  readonly stars: number | null
  readonly reviews: number
  readonly price: number | null
  readonly list_price: number | null
  /** 0 to 1: how far `price` is below `list_price`; null when either is missing or it is not lower. */
  readonly discount: number | null
  readonly category_id: number | null
  readonly category: string | null
  readonly is_best_seller: boolean
  readonly bought_in_last_month: number
}

export interface Category {
  readonly category_id: number
  readonly name: string
  readonly product_count: number
}

export interface SearchOptions {
  readonly limit: number
  readonly offset?: number
  readonly category_id?: number
  readonly min_price?: number
  readonly max_price?: number
}

export interface SearchResult {
  /** How many match, exact up to the bound the index states; `total_is_exact` says which. */
  readonly total: number
  readonly total_is_exact: boolean
  readonly products: readonly { readonly product: Product; readonly score: number }[]
}

/** Point look-ups and text search over the imported products. Read-only; a new import replaces the whole. */
export interface Catalogue {
  /** Changes with every import. */
  readonly version: string
  readonly productCount: number
  get(productId: string): Product | undefined
  /** Name of a product's category, from memory; null where it has none or is not there. */
  categoryOf(productId: string): string | null
  getMany(productIds: readonly string[]): (Product | undefined)[]
  categories(): readonly Category[]
  /** BM25 over titles and category names; an empty query lists by popularity. */
  search(query: string, options: SearchOptions): SearchResult
  /**
   * Products whose title, category and price are close, itself excluded, best first: the answer for products
   * nobody has touched. Cost is bounded, whatever the catalogue's size.
   */
  similar(
    productId: string,
    limit: number,
  ): readonly { readonly product_id: string; readonly score: number }[]
  /** Best known products, from reviews, stars and recent purchases: the static fallback. */
  popular(
    limit: number,
    categoryId?: number,
  ): readonly { readonly product_id: string; readonly score: number }[]
  close(): Promise<void>
}
