import { join } from 'node:path'
import { ArusError } from '../errors.ts'
import type { Catalogue, Category, Product, SearchOptions, SearchResult } from './catalogue.ts'
import { INDEX_FILE, TEXTS_FILE } from './catalogue-files.ts'
import { currentVersion } from './catalogue-folder.ts'
import { type FlatReader, readFlatFile } from './flat-file.ts'
import { ProductIds } from './product-ids.ts'
import { ProductReader } from './product-reader.ts'
import { SimilarProducts } from './similar-products.ts'
import { TextIndex } from './text-index.ts'
import { searchText, type TextHits } from './text-search.ts'

const OPEN_ATTEMPTS = 5

/**
 * Opens the current version of the catalogue in `folder`. What is opened stays as it is when a later import publishes
 * another version; `currentVersion(folder)` tells a server that it is time to open again. Throws `CATALOGUE_EMPTY` when
 * nothing was imported.
 */
export async function openCatalogue(options: { readonly folder: string }): Promise<Catalogue> {
  for (let attempt = 1; ; attempt++) {
    const version = currentVersion(options.folder)
    if (version === null) {
      throw new ArusError(
        'CATALOGUE_EMPTY',
        `No catalogue was imported into ${options.folder} yet: run \`arus import products.csv\` or \`arus start\``,
      )
    }
    try {
      return new FolderCatalogue(version, join(options.folder, version))
    } catch (error) {
      const isReplaced = currentVersion(options.folder) !== version
      if (!isReplaced || attempt === OPEN_ATTEMPTS) throw error
    }
  }
}

/** What is searched in flat arrays read from one file, texts in another. Documents are numbered by popularity. */
class FolderCatalogue implements Catalogue {
  readonly version: string
  readonly productCount: number
  readonly #products: ProductReader
  readonly #ids: ProductIds
  readonly #index: TextIndex
  readonly #categories: readonly Category[]
  readonly #categoryIndexes: ReadonlyMap<number, number>
  readonly #categoryOffsets: Uint32Array
  readonly #categoryDocuments: Uint32Array
  readonly #priceOf: Float64Array
  readonly #popularityOf: Float32Array
  readonly #similar: SimilarProducts

  constructor(version: string, path: string) {
    const reader = readFlatFile(join(path, INDEX_FILE))
    this.version = version
    this.#ids = new ProductIds(reader)
    this.#index = new TextIndex(reader)
    this.productCount = this.#index.documentCount
    this.#categories = readCategories(reader)
    this.#categoryIndexes = new Map(this.#categories.map(({ category_id }, index) => [category_id, index]))
    this.#categoryOffsets = reader.u32('categories.offsets')
    this.#categoryDocuments = reader.u32('categories.documents')
    this.#priceOf = reader.f64('documents.price')
    this.#popularityOf = reader.f32('documents.popularity')
    this.#similar = new SimilarProducts({
      index: this.#index,
      categoryOf: reader.u16('documents.category'),
      priceOf: this.#priceOf,
      ofCategory: (index) => this.#ofCategory(index),
    })
    this.#products = new ProductReader({
      index: reader,
      textsFile: join(path, TEXTS_FILE),
      ids: this.#ids,
      categories: this.#categories,
    })
  }

  get(productId: string): Product | undefined {
    const document = this.#ids.document(productId)
    return document < 0 ? undefined : this.#products.read(document)
  }

  categoryOf(productId: string): string | null {
    const document = this.#ids.document(productId)
    return document < 0 ? null : (this.#products.categoryOf(document)?.name ?? null)
  }

  getMany(productIds: readonly string[]): (Product | undefined)[] {
    return productIds.map((productId) => this.get(productId))
  }

  categories(): readonly Category[] {
    return this.#categories
  }

  search(query: string, options: SearchOptions): SearchResult {
    const { total, totalIsExact, hits } = this.#find(query, options)
    return {
      total,
      total_is_exact: totalIsExact,
      products: hits.map(({ document, score }) => ({ product: this.#products.read(document), score })),
    }
  }

  similar(productId: string, limit: number): { product_id: string; score: number }[] {
    const document = this.#ids.document(productId)
    if (document < 0) return []
    const { title, category } = this.#products.read(document)
    return this.#similar
      .find(document, `${title} ${category ?? ''}`, limit)
      .map((found) => ({ product_id: this.#ids.text(found.document), score: found.score }))
  }

  popular(limit: number, categoryId?: number): { product_id: string; score: number }[] {
    const documents = categoryId === undefined ? null : this.#ofCategoryId(categoryId)
    const count = Math.min(limit, documents?.length ?? this.productCount)
    return Array.from({ length: count }, (_, rank) => {
      const document = documents === null ? rank : documents[rank]!
      return { product_id: this.#ids.text(document), score: this.#popularityOf[document]! }
    })
  }

  async close(): Promise<void> {
    this.#products.close()
  }

  #find(text: string, options: SearchOptions): TextHits {
    const { limit, offset = 0, category_id, min_price, max_price } = options
    const within = category_id === undefined ? null : this.#ofCategoryId(category_id)
    const accepts = priceFilter(this.#priceOf, min_price, max_price)
    if (text.trim() === '') return this.#listPopular(within, accepts, { limit, offset })
    return searchText(this.#index, { text, limit, offset, within, accepts })
  }

  /** Without a query: by popularity, which is document order. Every product is counted: 1 ns each. */
  #listPopular(
    within: Uint32Array | null,
    accepts: (document: number) => boolean,
    page: { limit: number; offset: number },
  ): TextHits {
    const hits: { document: number; score: number }[] = []
    const count = within?.length ?? this.productCount
    let total = 0
    for (let i = 0; i < count; i++) {
      const document = within === null ? i : within[i]!
      if (!accepts(document)) continue
      if (total >= page.offset && hits.length < page.limit) {
        hits.push({ document, score: this.#popularityOf[document]! })
      }
      total++
    }
    return { total, totalIsExact: true, hits }
  }

  #ofCategoryId(categoryId: number): Uint32Array {
    const index = this.#categoryIndexes.get(categoryId)
    return index === undefined ? new Uint32Array(0) : this.#ofCategory(index)
  }

  #ofCategory(index: number): Uint32Array {
    return this.#categoryDocuments.subarray(this.#categoryOffsets[index]!, this.#categoryOffsets[index + 1]!)
  }
}

function readCategories(reader: FlatReader): Category[] {
  return JSON.parse(Buffer.from(reader.u8('categories')).toString())
}

function priceFilter(
  priceOf: Float64Array,
  least = Number.MIN_VALUE,
  most = Number.MAX_VALUE,
): (document: number) => boolean {
  if (least === Number.MIN_VALUE && most === Number.MAX_VALUE) return () => true
  return (document) => {
    const price = priceOf[document]!
    return price > 0 && price >= least && price <= most
  }
}
