import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ArusError } from '../errors.ts'
import type { Category } from './catalogue.ts'
import { NO_CATEGORY } from './catalogue-files.ts'
import { collectGarbage } from './collect-garbage.ts'
import { ColumnFile } from './column-file.ts'
import { orderDocuments } from './document-order.ts'
import type { FlatArray, FlatBlocks } from './flat-file.ts'
import { gathered, gatheredBlocks } from './gather.ts'
import { idSections } from './product-ids.ts'
import { NUMBERS, type ProductNumbers, type TEXT_BYTES } from './stored-product.ts'
import { NO_NAME, TextIndexBuilder } from './text-index-builder.ts'
import { type Rows, TextKernel } from './text-kernel.ts'
import { TextLines } from './text-lines.ts'

const LF = 10

/** Columns that are kept as they come; each is a section `documents.…` of the index, by document. */
function keptColumns(folder: string) {
  const file = (name: string) => join(folder, name)
  return {
    popularity: new ColumnFile(file('popularity'), Float32Array),
    price: new ColumnFile(file('price'), Float64Array),
    list_price: new ColumnFile(file('list_price'), Float64Array),
    stars: new ColumnFile(file('stars'), Float64Array),
    reviews: new ColumnFile(file('reviews'), Uint32Array),
    bought_in_last_month: new ColumnFile(file('bought_in_last_month'), Uint32Array),
    is_best_seller: new ColumnFile(file('is_best_seller'), Uint8Array),
    title_bytes: new ColumnFile(file('title_bytes'), Uint16Array),
    image_url_bytes: new ColumnFile(file('image_url_bytes'), Uint16Array),
    product_url_bytes: new ColumnFile(file('product_url_bytes'), Uint16Array),
    title_start: new ColumnFile(file('title_start'), Float64Array),
  }
}

type KeptColumns = ReturnType<typeof keptColumns>

/** Of `keptColumns` those that are numbers of `ProductNumbers`. */
const NUMBERS_KEPT = NUMBERS.filter((name) => name !== 'category_id')
/** Lines of a batch are hardly this much longer than those of the last. */
const BYTES_AHEAD = 1.25

/** The texts of a batch: where in the kernel's memory their lines begin, and the bytes of these. */
interface FoundTexts {
  readonly rows: Rows
  readonly place: number
  readonly byteCount: number
}

type TextBytes = Readonly<Record<(typeof TEXT_BYTES)[number], Float64Array>>

function textBytesOf(numbers: ProductNumbers): TextBytes | null {
  return numbers.title_bytes === undefined ? null : (numbers as TextBytes)
}

/**
 * Collects what of each product is kept (id, numbers, where its texts are, the text index), in any order, and numbers the
 * documents when all are there. Numbers wait in files; in memory are 26 bytes of each product for its id and its slot, 2 for
 * its category, and its text's index; 10 more once the documents are put in order.
 */
export class CatalogueColumns {
  count = 0
  readonly #categories: readonly Category[]
  readonly #categoryIndexes: ReadonlyMap<number, number>
  readonly #kernel = new TextKernel()
  readonly #text: TextIndexBuilder
  readonly #folder: string
  readonly #kept: KeptColumns
  readonly #categoryOf: Uint16Array
  /** How far to look ahead for lines. */
  #bytesPerRow = 128

  /** Files of its own are put below `folder`; `close` removes them. */
  constructor(productCount: number, categories: readonly Category[], folder: string) {
    this.#categories = categories
    this.#categoryIndexes = new Map(categories.map(({ category_id }, index) => [category_id, index]))
    this.#folder = mkdtempSync(join(folder, 'columns-'))
    this.#text = new TextIndexBuilder(this.#kernel, this.#folder)
    this.#text.setNames(categories.map(({ name }) => name))
    this.#kernel.exports.startProducts(productCount)
    this.#kept = keptColumns(this.#folder)
    this.#categoryOf = new Uint16Array(productCount)
  }

  /** The lines of a file, for `add`: they are read to where the kernel finds them. */
  linesOf(textsFile: string): TextLines {
    return new TextLines(textsFile, (byteCount) => this.#kernel.room(byteCount))
  }

  /**
   * Takes the next products, whose texts are the next lines; without the lengths of the texts, a line is cut where they end.
   * False where the lines are not theirs, or hold in a text what should end it. Throws `INTERNAL` when an id came before.
   */
  add(numbers: ProductNumbers, lines: TextLines): boolean {
    const { count } = this
    const rowCount = numbers.popularity.length
    const found = this.#findTexts(numbers, lines)
    if (found === null) return false
    const { rows, place, byteCount } = found
    for (const name of NUMBERS_KEPT) this.#kept[name].append(numbers[name])
    this.#kept.title_bytes.append(rows.titleBytes)
    this.#kept.image_url_bytes.append(rows.imageUrlBytes)
    this.#kept.product_url_bytes.append(rows.productUrlBytes)
    const shift = lines.position - place
    const titleStarts = new Float64Array(rowCount)
    for (let row = 0; row < rowCount; row++) {
      const category = this.#categoryIndexes.get(numbers.category_id[row]!)
      rows.names[row] = category ?? NO_NAME
      this.#categoryOf[count + row] = category ?? NO_CATEGORY
      titleStarts[row] = rows.titleStarts[row]! + shift
    }
    this.#kept.title_start.append(titleStarts)
    this.#addIds(rows, rowCount)
    this.#text.addRows(rows, rowCount)
    this.count += rowCount
    lines.skip(byteCount)
    return true
  }

  /** Everything by document, as sections of a flat file, to be written before `close`. */
  sections(): Readonly<Record<string, FlatArray | FlatBlocks>> {
    const { popularity, stars, is_best_seller } = this.#kept
    const { ids } = this.#kernel
    // What reading the products took.
    collectGarbage()
    const keys = { popularity, stars, isBestSeller: is_best_seller, ids: ids.strings }
    const order = orderDocuments({ ...keys, file: join(this.#folder, 'order') })
    const documentOf = this.#kernel.documentsOf(order)
    const categoryOf = gathered(this.#categoryOf, order)
    // Ids are written first: what finds them is free then.
    const spare = ids.slots
    const byteCount = this.count * Float64Array.BYTES_PER_ELEMENT
    const memory = spare.byteLength < byteCount ? new Uint8Array(byteCount) : spare
    const kept = Object.entries(this.#kept).map(
      ([name, column]) => [`documents.${name}`, gatheredBlocks(column, order, memory)] as const,
    )
    return {
      ...idSections(ids, order, documentOf),
      ...this.#text.sections(order, documentOf, spare),
      ...byCategory(categoryOf, this.#categories.length),
      ...Object.fromEntries<FlatBlocks>(kept),
      'documents.category': categoryOf,
      categories: Buffer.from(JSON.stringify(this.#categories)),
    }
  }

  /** Removes its files. */
  close(): void {
    this.#text.close()
    for (const column of Object.values(this.#kept)) column.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Where the texts of the next products are, once they are in the kernel's memory. */
  #findTexts(numbers: ProductNumbers, lines: TextLines): FoundTexts | null {
    const rowCount = numbers.popularity.length
    const lengths = textBytesOf(numbers)
    if (lengths !== null) return this.#findByLengths(lengths, lines)
    for (let size = this.#bytesPerRow * rowCount; ; size *= 2) {
      const block = lines.ahead(size)
      const place = block.byteOffset
      const byteCount = this.#kernel.cutLines(place, block.length, rowCount)
      if (byteCount === null || (byteCount === 0 && block.length < size)) return null
      if (byteCount === 0) continue
      this.#bytesPerRow = Math.ceil((BYTES_AHEAD * byteCount) / rowCount)
      return { rows: this.#kernel.rows(rowCount), place, byteCount }
    }
  }

  #findByLengths(lengths: TextBytes, lines: TextLines): FoundTexts | null {
    const rowCount = lengths.title_bytes.length
    const rows = this.#kernel.rows(rowCount)
    rows.idBytes.set(lengths.product_id_bytes)
    rows.titleBytes.set(lengths.title_bytes)
    rows.imageUrlBytes.set(lengths.image_url_bytes)
    rows.productUrlBytes.set(lengths.product_url_bytes)
    let byteCount = 0
    for (let row = 0; row < rowCount; row++) {
      rows.idStarts[row] = byteCount
      rows.titleStarts[row] = byteCount + rows.idBytes[row]! + 1
      byteCount =
        rows.titleStarts[row]! +
        rows.titleBytes[row]! +
        rows.imageUrlBytes[row]! +
        rows.productUrlBytes[row]! +
        3
    }
    const block = lines.ahead(byteCount)
    const place = block.byteOffset
    for (let row = 0; row < rowCount; row++) {
      const next = row + 1 < rowCount ? rows.idStarts[row + 1]! : byteCount
      if (block[next - 1] !== LF) return null
    }
    for (const starts of [rows.idStarts, rows.titleStarts])
      for (let row = 0; row < rowCount; row++) starts[row]! += place
    return { rows, place, byteCount }
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

/** Documents of each category, in document order: a counting sort, done when its section is written. */
function byCategory(categoryOf: Uint16Array, categoryCount: number) {
  const offsets = new Uint32Array(categoryCount + 1)
  for (const category of categoryOf) if (category !== NO_CATEGORY) offsets[category + 1]!++
  for (let category = 0; category < categoryCount; category++) offsets[category + 1]! += offsets[category]!
  return {
    'categories.offsets': offsets,
    'categories.documents': {
      length: offsets[categoryCount]!,
      like: new Uint32Array(0),
      *[Symbol.iterator]() {
        yield documentsByCategory(categoryOf, offsets)
      },
    },
  }
}

function documentsByCategory(categoryOf: Uint16Array, offsets: Uint32Array): Uint32Array {
  const documents = new Uint32Array(offsets.at(-1)!)
  const next = offsets.slice()
  for (let document = 0; document < categoryOf.length; document++) {
    const category = categoryOf[document]!
    if (category !== NO_CATEGORY) documents[next[category]!++] = document
  }
  return documents
}
