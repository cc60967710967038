import { ArusError } from '../errors.ts'
import { ByteTable } from './byte-table.ts'
import type { Category } from './catalogue.ts'
import { NO_CATEGORY } from './catalogue-files.ts'
import { orderDocuments } from './document-order.ts'
import type { FlatArray, FlatSections } from './flat-file.ts'
import { gathered } from './gather.ts'
import { idSections } from './product-ids.ts'
import type { ProductNumbers } from './stored-product.ts'
import { TextIndexBuilder } from './text-index-builder.ts'
import type { TextLines } from './text-lines.ts'

const NO_TERMS = new Uint32Array(0)

/** Columns that are kept as they come; each is a section `documents.…` of the index, by document. */
function keptColumns(productCount: number) {
  return {
    popularity: new Float32Array(productCount),
    price: new Float64Array(productCount),
    list_price: new Float64Array(productCount),
    stars: new Float64Array(productCount),
    reviews: new Uint32Array(productCount),
    bought_in_last_month: new Uint32Array(productCount),
    is_best_seller: new Uint8Array(productCount),
    title_bytes: new Uint16Array(productCount),
    image_url_bytes: new Uint16Array(productCount),
    product_url_bytes: new Uint16Array(productCount),
  }
}

type KeptColumns = ReturnType<typeof keptColumns>

/**
 * Collects what of each product is kept in flat arrays (id, numbers, where its texts are, the text index), in any order, and
 * numbers the documents when all are there.
 */
export class CatalogueColumns {
  count = 0
  readonly #categories: readonly Category[]
  readonly #categoryIndexes: ReadonlyMap<number, number>
  /** Terms of each category's name. */
  readonly #nameTerms: readonly Uint32Array[]
  readonly #ids: ByteTable
  readonly #text = new TextIndexBuilder()
  readonly #kept: KeptColumns
  readonly #categoryOf: Uint16Array
  readonly #titleStarts: Float64Array

  constructor(productCount: number, categories: readonly Category[]) {
    this.#categories = categories
    this.#categoryIndexes = new Map(categories.map(({ category_id }, index) => [category_id, index]))
    this.#nameTerms = categories.map(({ name }) => this.#text.termsOf(Buffer.from(name)))
    this.#ids = ByteTable.empty(productCount)
    this.#kept = keptColumns(productCount)
    this.#categoryOf = new Uint16Array(productCount)
    this.#titleStarts = new Float64Array(productCount)
  }

  /** Takes the next products, whose texts are the next lines. Throws `INTERNAL` when an id came before. */
  add(numbers: ProductNumbers, lines: TextLines): void {
    for (const name of Object.keys(this.#kept) as (keyof KeptColumns)[])
      this.#kept[name].set(numbers[name], this.count)
    for (let row = 0; row < numbers.popularity.length; row++) {
      const category = this.#categoryIndexes.get(numbers.category_id[row]!)
      this.#categoryOf[this.count] = category ?? NO_CATEGORY
      this.#addTexts(numbers, row, lines, category === undefined ? NO_TERMS : this.#nameTerms[category]!)
      this.count++
    }
  }

  /** Everything by document, as sections of a flat file. */
  sections(): FlatSections {
    const { popularity, stars, is_best_seller } = this.#kept
    const order = orderDocuments({
      popularity: popularity.subarray(0, this.count),
      stars: Float32Array.from(stars.subarray(0, this.count)),
      isBestSeller: is_best_seller.subarray(0, this.count),
      ids: this.#ids.strings,
    })
    const categoryOf = gathered(this.#categoryOf, order)
    const kept = Object.entries(this.#kept).map(([name, values]) => [
      `documents.${name}`,
      gathered<FlatArray>(values, order),
    ])
    return {
      ...idSections(this.#ids, order),
      ...this.#text.sections(order),
      ...byCategory(categoryOf, this.#categories.length),
      ...(Object.fromEntries(kept) as FlatSections),
      'documents.category': categoryOf,
      'documents.title_start': gathered(this.#titleStarts, order),
      categories: Buffer.from(JSON.stringify(this.#categories)),
    }
  }

  #addTexts(numbers: ProductNumbers, row: number, lines: TextLines, alsoNamed: Uint32Array): void {
    const idBytes = numbers.product_id_bytes[row]!
    const titleBytes = numbers.title_bytes[row]!
    const start = lines.next(
      idBytes + titleBytes + numbers.image_url_bytes[row]! + numbers.product_url_bytes[row]!,
    )
    const title = start + idBytes
    this.#addId(lines.bytes, start, title)
    this.#titleStarts[this.count] = lines.base + title
    this.#text.add(lines.bytes, { from: title, to: title + titleBytes }, alsoNamed)
  }

  /** Numbers the id: by line, when each comes once. */
  #addId(bytes: Buffer, from: number, to: number): void {
    if (this.#ids.intern(bytes, from, to) === this.count) return
    const id = bytes.toString('utf8', from, to)
    throw new ArusError('INTERNAL', `Product id ${id} came twice; products must be de-duplicated`)
  }
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
