import { closeSync, openSync, readSync } from 'node:fs'
import { ArusError } from '../errors.ts'
import type { Category, Product } from './catalogue.ts'
import { NO_CATEGORY } from './catalogue-files.ts'
import type { FlatReader } from './flat-file.ts'
import type { ProductIds } from './product-ids.ts'
import { discountOf } from './stored-product.ts'

const BUFFER_BYTES = 1 << 16

export interface ProductReaderOptions {
  readonly index: FlatReader
  readonly textsFile: string
  readonly ids: ProductIds
  readonly categories: readonly Category[]
}

/** Products by document: numbers from columns in memory, texts by one read of a file that the system keeps in its cache. */
export class ProductReader {
  readonly #ids: ProductIds
  readonly #categories: readonly Category[]
  readonly #file: string
  /** Null once closed: the system gives the number to the next file that is opened. */
  #descriptor: number | null
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  readonly #categoryOf: Uint16Array
  readonly #prices: Float64Array
  readonly #listPrices: Float64Array
  readonly #stars: Float64Array
  readonly #reviews: Uint32Array
  readonly #bought: Uint32Array
  readonly #isBestSeller: Uint8Array
  readonly #titleStarts: Float64Array
  readonly #titleBytes: Uint16Array
  readonly #imageUrlBytes: Uint16Array
  readonly #productUrlBytes: Uint16Array

  constructor({ index, textsFile, ids, categories }: ProductReaderOptions) {
    this.#ids = ids
    this.#categories = categories
    this.#categoryOf = index.u16('documents.category')
    this.#prices = index.f64('documents.price')
    this.#listPrices = index.f64('documents.list_price')
    this.#stars = index.f64('documents.stars')
    this.#reviews = index.u32('documents.reviews')
    this.#bought = index.u32('documents.bought_in_last_month')
    this.#isBestSeller = index.u8('documents.is_best_seller')
    this.#titleStarts = index.f64('documents.title_start')
    this.#titleBytes = index.u16('documents.title_bytes')
    this.#imageUrlBytes = index.u16('documents.image_url_bytes')
    this.#productUrlBytes = index.u16('documents.product_url_bytes')
    this.#file = textsFile
    this.#descriptor = openSync(textsFile, 'r')
  }

  read(document: number): Product {
    const titleEnd = this.#titleBytes[document]!
    // A byte stands between two texts.
    const imageUrlEnd = titleEnd + 1 + this.#imageUrlBytes[document]!
    const end = imageUrlEnd + 1 + this.#productUrlBytes[document]!
    const texts = this.#texts(document, end)
    const price = numberOrNull(this.#prices[document]!)
    const listPrice = numberOrNull(this.#listPrices[document]!)
    const { category_id = null, name = null } = this.categoryOf(document) ?? {}
    return {
      product_id: this.#ids.text(document),
      title: texts.toString('utf8', 0, titleEnd),
      image_url: texts.toString('utf8', titleEnd + 1, imageUrlEnd) || null,
      product_url: texts.toString('utf8', imageUrlEnd + 1, end) || null,
      stars: numberOrNull(this.#stars[document]!),
      reviews: this.#reviews[document]!,
      price,
      list_price: listPrice,
      discount: discountOf(price, listPrice),
      category_id,
      category: name,
      is_best_seller: this.#isBestSeller[document] === 1,
      bought_in_last_month: this.#bought[document]!,
    }
  }

  categoryOf(document: number): Category | null {
    const category = this.#categoryOf[document]!
    return category === NO_CATEGORY ? null : this.#categories[category]!
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
  }

  /** The product's texts after its id, in a buffer that the next call overwrites. */
  #texts(document: number, byteCount: number): Buffer {
    const descriptor = this.#descriptor
    if (descriptor === null)
      throw new ArusError('INTERNAL', `${this.#file} is closed; open the catalogue again`)
    const buffer = byteCount <= BUFFER_BYTES ? this.#buffer : Buffer.allocUnsafe(byteCount)
    const start = this.#titleStarts[document]!
    for (let read = 0; read < byteCount; ) {
      const more = readSync(descriptor, buffer, read, byteCount - read, start + read)
      if (more === 0)
        throw new ArusError(
          'INTERNAL',
          `${this.#file} ends before product ${document}; import the catalogue again`,
        )
      read += more
    }
    return buffer
  }
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}
