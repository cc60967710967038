import { ArusError } from '../errors.ts'
import { ByteList } from './byte-list.ts'
import { ByteTable } from './byte-table.ts'
import type { Category } from './catalogue.ts'
import { NO_CATEGORY } from './catalogue-files.ts'
import { orderDocuments } from './document-order.ts'
import type { FlatSections } from './flat-file.ts'
import { NUMBER } from './product-record.ts'
import { TextIndexBuilder } from './text-index-builder.ts'

const NO_TERMS = new Uint32Array(0)

/** Where a product's line is stored: number of the block, and offset within. */
export interface LinePlace {
  readonly block: number
  readonly offset: number
}

/**
 * Collects what of each product is kept in flat arrays (id, category, price, popularity, the text index), line by line in
 * any order, and numbers the documents when all are there.
 */
export class CatalogueColumns {
  count = 0
  readonly #categories: readonly Category[]
  readonly #categoryIndexes: ReadonlyMap<number, number>
  /** Terms of each category's name. */
  readonly #nameTerms: readonly Uint32Array[]
  readonly #ids = new ByteList()
  readonly #text = new TextIndexBuilder()
  readonly #categoryOf: Uint16Array
  readonly #priceOf: Float32Array
  readonly #popularityOf: Float32Array
  readonly #starsOf: Float32Array
  readonly #isBestSeller: Uint8Array
  readonly #blockOf: Uint32Array
  readonly #offsetOf: Uint16Array

  constructor(productCount: number, categories: readonly Category[]) {
    this.#categories = categories
    this.#categoryIndexes = new Map(categories.map(({ category_id }, index) => [category_id, index]))
    this.#nameTerms = categories.map(({ name }) => this.#text.termsOf(Buffer.from(name)))
    this.#categoryOf = new Uint16Array(productCount)
    this.#priceOf = new Float32Array(productCount)
    this.#popularityOf = new Float32Array(productCount)
    this.#starsOf = new Float32Array(productCount)
    this.#isBestSeller = new Uint8Array(productCount)
    this.#blockOf = new Uint32Array(productCount)
    this.#offsetOf = new Uint16Array(productCount)
  }

  /** Takes the product whose head was read into `numbers` and whose texts begin at `textStart`. */
  add(numbers: Float64Array, bytes: Buffer, textStart: number, place: LinePlace): void {
    const line = this.count++
    const titleStart = textStart + numbers[NUMBER.productIdBytes]!
    const categoryId = numbers[NUMBER.categoryId]!
    const category = Number.isNaN(categoryId) ? undefined : this.#categoryIndexes.get(categoryId | 0)
    this.#ids.append(bytes, textStart, titleStart)
    this.#categoryOf[line] = category ?? NO_CATEGORY
    this.#priceOf[line] = numbers[NUMBER.price]! || 0
    this.#popularityOf[line] = numbers[NUMBER.popularity]!
    this.#starsOf[line] = numbers[NUMBER.stars]!
    this.#isBestSeller[line] = numbers[NUMBER.isBestSeller]!
    this.#blockOf[line] = place.block
    this.#offsetOf[line] = place.offset
    const title = { from: titleStart, to: titleStart + numbers[NUMBER.titleBytes]! }
    this.#text.add(bytes, title, category === undefined ? NO_TERMS : this.#nameTerms[category]!)
  }

  /** Everything by document, as sections of a flat file. Throws when an id came twice. */
  sections(): FlatSections {
    const { count } = this
    const order = orderDocuments({
      popularity: this.#popularityOf.subarray(0, count),
      stars: this.#starsOf.subarray(0, count),
      isBestSeller: this.#isBestSeller.subarray(0, count),
      ids: this.#ids,
    })
    const categoryOf = gathered(this.#categoryOf, order)
    return {
      ...this.#idsByDocument(order).sections('ids'),
      ...this.#text.sections(order),
      ...byCategory(categoryOf, this.#categories.length),
      'documents.category': categoryOf,
      'documents.price': gathered(this.#priceOf, order),
      'documents.popularity': gathered(this.#popularityOf, order),
      'documents.block': gathered(this.#blockOf, order),
      'documents.offset': gathered(this.#offsetOf, order),
      categories: Buffer.from(JSON.stringify(this.#categories)),
    }
  }

  #idsByDocument(order: Uint32Array): ByteTable {
    const ids = ByteTable.empty(order.length)
    const { bytes, ends } = this.#ids
    for (let document = 0; document < order.length; document++) {
      const line = order[document]!
      if (ids.intern(bytes, this.#ids.start(line), ends[line]!) === document) continue
      throw new ArusError(
        'INTERNAL',
        `Product id ${this.#ids.text(line)} came twice; products must be de-duplicated`,
      )
    }
    return ids
  }
}

/** `values` in another order: `values[order[0]]`, `values[order[1]]`, … */
function gathered<T extends Uint16Array | Uint32Array | Float32Array>(values: T, order: Uint32Array): T {
  const found = values.slice(0, order.length) as T
  for (let i = 0; i < order.length; i++) found[i] = values[order[i]!]!
  return found
}

/** Documents of each category, in document order: a counting sort. */
function byCategory(categoryOf: Uint16Array, categoryCount: number) {
  const offsets = new Uint32Array(categoryCount + 1)
  for (const category of categoryOf) if (category !== NO_CATEGORY) offsets[category + 1]!++
  for (let category = 0; category < categoryCount; category++) offsets[category + 1]! += offsets[category]!
  const documents = new Uint32Array(offsets[categoryCount]!)
  const next = offsets.slice()
  for (let document = 0; document < categoryOf.length; document++) {
    const category = categoryOf[document]!
    if (category !== NO_CATEGORY) documents[next[category]!++] = document
  }
  return { 'categories.offsets': offsets, 'categories.documents': documents }
}
