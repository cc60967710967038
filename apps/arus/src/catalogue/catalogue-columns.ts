import { ArusError } from '../errors.ts'
import type { Category } from './catalogue.ts'
import { NO_CATEGORY } from './catalogue-files.ts'
import { orderDocuments } from './document-order.ts'
import type { FlatArray, FlatSections } from './flat-file.ts'
import { gathered } from './gather.ts'
import { idSections } from './product-ids.ts'
import type { ProductNumbers } from './stored-product.ts'
import { NO_NAME, TextIndexBuilder } from './text-index-builder.ts'
import { type Rows, TextKernel } from './text-kernel.ts'
import type { TextLines } from './text-lines.ts'

const LF = 10

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
  readonly #kernel = new TextKernel()
  readonly #text = new TextIndexBuilder(this.#kernel)
  readonly #kept: KeptColumns
  readonly #categoryOf: Uint16Array
  readonly #titleStarts: Float64Array

  constructor(productCount: number, categories: readonly Category[]) {
    this.#categories = categories
    this.#categoryIndexes = new Map(categories.map(({ category_id }, index) => [category_id, index]))
    this.#text.setNames(categories.map(({ name }) => name))
    this.#kernel.exports.startIds(productCount)
    this.#kept = keptColumns(productCount)
    this.#categoryOf = new Uint16Array(productCount)
    this.#titleStarts = new Float64Array(productCount)
  }

  /** Takes the next products, whose texts are the next lines. Throws `INTERNAL` when an id came before. */
  add(numbers: ProductNumbers, lines: TextLines): void {
    const { count } = this
    for (const name of Object.keys(this.#kept) as (keyof KeptColumns)[])
      this.#kept[name].set(numbers[name], count)
    const rowCount = numbers.popularity.length
    const rows = this.#kernel.rows(rowCount)
    const position = lines.position
    const block = lines.next(bytesOf(numbers))
    const place = this.#kernel.load(block)
    let at = 0
    for (let row = 0; row < rowCount; row++) {
      const idBytes = numbers.product_id_bytes[row]!
      const titleBytes = numbers.title_bytes[row]!
      const category = this.#categoryIndexes.get(numbers.category_id[row]!)
      rows.idStarts[row] = place + at
      rows.idBytes[row] = idBytes
      rows.titleStarts[row] = place + at + idBytes
      rows.titleBytes[row] = titleBytes
      rows.names[row] = category ?? NO_NAME
      this.#categoryOf[count + row] = category ?? NO_CATEGORY
      this.#titleStarts[count + row] = position + at + idBytes
      at += idBytes + titleBytes + numbers.image_url_bytes[row]! + numbers.product_url_bytes[row]! + 1
      if (block[at - 1] !== LF) throw lines.unlike()
    }
    this.#addIds(rows, rowCount)
    this.#text.addRows(rows, rowCount)
    this.count += rowCount
  }

  /** Everything by document, as sections of a flat file. */
  sections(): FlatSections {
    const { popularity, stars, is_best_seller } = this.#kept
    const { ids } = this.#kernel
    const order = orderDocuments({
      popularity: popularity.subarray(0, this.count),
      stars: Float32Array.from(stars.subarray(0, this.count)),
      isBestSeller: is_best_seller.subarray(0, this.count),
      ids: ids.strings,
    })
    const categoryOf = gathered(this.#categoryOf, order)
    const kept = Object.entries(this.#kept).map(([name, values]) => [
      `documents.${name}`,
      gathered<FlatArray>(values, order),
    ])
    return {
      ...idSections(ids, order),
      ...this.#text.sections(order),
      ...byCategory(categoryOf, this.#categories.length),
      ...(Object.fromEntries(kept) as FlatSections),
      'documents.category': categoryOf,
      'documents.title_start': gathered(this.#titleStarts, order),
      categories: Buffer.from(JSON.stringify(this.#categories)),
    }
  }

  /** Numbers the ids: by line, when each comes once. */
  #addIds({ idStarts, idBytes }: Rows, rowCount: number): void {
    const { exports } = this.#kernel
    const row = exports.addIds(idStarts.byteOffset, idBytes.byteOffset, rowCount, this.count)
    if (row === rowCount) return
    const id = this.#kernel.bytesAt(idStarts[row]!, idBytes[row]!).toString()
    throw new ArusError('INTERNAL', `Product id ${id} came twice; products must be de-duplicated`)
  }
}

/** Bytes of all lines of a batch. */
function bytesOf({
  product_id_bytes,
  title_bytes,
  image_url_bytes,
  product_url_bytes,
}: ProductNumbers): number {
  let sum = 0
  for (let row = 0; row < title_bytes.length; row++)
    sum += product_id_bytes[row]! + title_bytes[row]! + image_url_bytes[row]! + product_url_bytes[row]! + 1
  return sum
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
