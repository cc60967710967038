import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Category } from './catalogue.ts'
import { NO_CATEGORY } from './catalogue-files.ts'
import { collectGarbage } from './collect-garbage.ts'
import { ColumnFile } from './column-file.ts'
import { orderDocuments } from './document-order.ts'
import type { FlatArray, FlatBlocks } from './flat-file.ts'
import { IdFile } from './id-file.ts'
import type { Reordering } from './reordering.ts'
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
    category: new ColumnFile(file('category'), Uint16Array),
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
 * documents when all are there. All of it waits in files: memory does not grow with the products, but with the words of their
 * texts.
 */
export class CatalogueColumns {
  count = 0
  readonly #categories: readonly Category[]
  readonly #categoryIndexes: ReadonlyMap<number, number>
  readonly #kernel = new TextKernel()
  readonly #text: TextIndexBuilder
  readonly #folder: string
  readonly #kept: KeptColumns
  readonly #ids: IdFile
  #order: Reordering | null = null
  /** How far to look ahead for lines. */
  #bytesPerRow = 128

  /** Files of its own are put below `folder`; `close` removes them. */
  constructor(categories: readonly Category[], folder: string) {
    this.#categories = categories
    this.#categoryIndexes = new Map(categories.map(({ category_id }, index) => [category_id, index]))
    this.#folder = mkdtempSync(join(folder, 'columns-'))
    this.#text = new TextIndexBuilder(this.#kernel, this.#folder)
    this.#text.setNames(categories.map(({ name }) => name))
    this.#kept = keptColumns(this.#folder)
    this.#ids = new IdFile(this.#folder)
  }

  /** The lines of a file, for `add`: they are read to where the kernel finds them. */
  linesOf(textsFile: string): TextLines {
    return new TextLines(textsFile, (byteCount) => this.#kernel.room(byteCount))
  }

  /**
   * Takes the next products, whose texts are the next lines; without the lengths of the texts, a line is cut where they end.
   * False where the lines are not theirs, or hold in a text what should end it.
   */
  add(numbers: ProductNumbers, lines: TextLines): boolean {
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
    const categories = new Uint16Array(rowCount)
    for (let row = 0; row < rowCount; row++) {
      const category = this.#categoryIndexes.get(numbers.category_id[row]!)
      rows.names[row] = category ?? NO_NAME
      categories[row] = category ?? NO_CATEGORY
      titleStarts[row] = rows.titleStarts[row]! + shift
    }
    this.#kept.title_start.append(titleStarts)
    this.#kept.category.append(categories)
    this.#ids.append(this.#kernel.gatherIds(rows, rowCount))
    this.#text.addRows(rows, rowCount)
    this.count += rowCount
    lines.skip(byteCount)
    return true
  }

  /** Everything by document, as sections of a flat file, to be written before `close`. Throws `INTERNAL` when an id came twice. */
  sections(): Readonly<Record<string, FlatArray | FlatBlocks>> {
    const { popularity, stars, is_best_seller, category } = this.#kept
    // What reading the products took.
    collectGarbage()
    const keys = { popularity, stars, isBestSeller: is_best_seller, ids: this.#ids }
    const order = orderDocuments(keys, this.#folder)
    this.#order = order
    const kept = Object.entries(this.#kept).map(
      ([name, column]) => [`documents.${name}`, order.byDocument(column)] as const,
    )
    // What putting in order took.
    collectGarbage()
    return {
      ...this.#ids.sections('ids'),
      'ids.document': order.documents.blocks(),
      'documents.line': order.lines.blocks(),
      ...this.#text.sections(order),
      ...byCategory(order.byDocument(category), this.#categories.length),
      ...Object.fromEntries<FlatBlocks>(kept),
      categories: Buffer.from(JSON.stringify(this.#categories)),
    }
  }

  /** Removes its files. */
  close(): void {
    this.#text.close()
    this.#ids.close()
    this.#order?.close()
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
}

/** Documents that are put in order at once, 4 bytes each. */
const BLOCK_DOCUMENTS = 1 << 20

/** Documents of each category, in document order: a counting sort, whose result is made a block after the other. */
function byCategory(categoryOf: FlatBlocks, categoryCount: number) {
  const offsets = new Uint32Array(categoryCount + 1)
  for (const block of categoryOf)
    for (const category of block) if (category !== NO_CATEGORY) offsets[category + 1]!++
  for (let category = 0; category < categoryCount; category++) offsets[category + 1]! += offsets[category]!
  return {
    'categories.offsets': offsets,
    'categories.documents': {
      length: offsets[categoryCount]!,
      like: new Uint32Array(0),
      [Symbol.iterator]: () => documentsByCategory(categoryOf, offsets),
    },
  }
}

function* documentsByCategory(categoryOf: FlatBlocks, offsets: Uint32Array): Generator<Uint32Array> {
  const total = offsets.at(-1)!
  const room = new Uint32Array(Math.min(BLOCK_DOCUMENTS, total))
  for (let first = 0; first < total; first += room.length) {
    const documents = room.subarray(0, total - first)
    const next = offsets.slice()
    let document = 0
    for (const block of categoryOf)
      for (let n = 0; n < block.length; n++, document++) {
        const category = block[n]!
        if (category === NO_CATEGORY) continue
        const at = next[category]!++ - first
        if (at >= 0 && at < documents.length) documents[at] = document
      }
    yield documents
  }
}
