import assert from 'node:assert'
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArusError } from '../errors.ts'
import { ByteTable } from './byte-table.ts'
import type { Category } from './catalogue.ts'
import { INDEX_FILE, NO_CATEGORY, openRecords, RECORDS_FILE } from './catalogue-files.ts'
import { currentVersion, publishBuild, removeVersionsExcept } from './catalogue-folder.ts'
import { writeFlatFile } from './flat-file.ts'
import { FIELD, FIELD_SEPARATOR, RECORD_FIELDS } from './product-record.ts'
import { TextIndexBuilder } from './text-index.ts'
import { makeWorkingFolder } from './working-folder.ts'

const LF = 10
const NO_NAME = Buffer.alloc(0)

export interface BuildCatalogueOptions {
  readonly folder: string
  readonly categories: readonly Category[]
  /** Upper bound of how many products come, to size tables. */
  readonly productCount: number
  /**
   * Bytes of product lines (`product-record.ts`), each ended by a line feed, cut anywhere. Best known first: their order
   * becomes the order of documents. Ids are distinct.
   */
  readonly lines: AsyncIterable<Buffer>
  /** UTC ms, for the version's name. */
  readonly nowMs: number
  readonly onProgress?: (done: number) => void
  readonly signal?: AbortSignal
}

/**
 * Builds a new version of a catalogue beside the one being served and makes it current in one step. Answers its name.
 * Interrupted or failing, it leaves the old version current and its own files are removed now or by the next build.
 * Throws `CANCELLED` on abort, `CATALOGUE_EMPTY` when no product came.
 */
export async function buildCatalogue(options: BuildCatalogueOptions): Promise<string> {
  const { folder, signal } = options
  const previous = currentVersion(folder)
  const path = await makeWorkingFolder(folder)
  try {
    await writeVersion(path, options)
    signal?.throwIfAborted()
    const version = await publishBuild(folder, path, options.nowMs)
    await removeVersionsExcept(folder, new Set([version, ...(previous === null ? [] : [previous])]))
    return version
  } catch (error) {
    await rm(path, { recursive: true, force: true })
    if (signal?.aborted)
      throw new ArusError('CANCELLED', 'Building the catalogue was stopped', { cause: error })
    throw error
  }
}

async function writeVersion(path: string, options: BuildCatalogueOptions): Promise<void> {
  const columns = new DocumentColumns(options.productCount, options.categories)
  const records = openRecords(path, 'build')
  try {
    let carry: Buffer = Buffer.alloc(0)
    for await (const chunk of options.lines) {
      options.signal?.throwIfAborted()
      const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk])
      let at = 0
      records.transactionSync(() => {
        for (let end = bytes.indexOf(LF, at); end >= 0; at = end + 1, end = bytes.indexOf(LF, at)) {
          const recordStart = bytes.indexOf(FIELD_SEPARATOR, at) + 1
          const document = columns.add(bytes, at, recordStart, end)
          records.putSync(document, bytes.subarray(recordStart, end), { append: true })
        }
      })
      carry = bytes.subarray(at)
      options.onProgress?.(columns.count)
    }
  } finally {
    await records.close()
  }
  if (columns.count === 0)
    throw new ArusError('CATALOGUE_EMPTY', 'No product was left to serve after the import')
  fsyncFile(join(path, RECORDS_FILE))
  columns.write(join(path, INDEX_FILE))
}

/** Collects, by document, what is kept in flat arrays: id, category, price, popularity and the text index. */
class DocumentColumns {
  count = 0
  readonly #categories: readonly Category[]
  readonly #categoryIndexes: ReadonlyMap<number, number>
  readonly #categoryNames: readonly Buffer[]
  readonly #ids = new ByteTable()
  readonly #text = new TextIndexBuilder()
  readonly #categoryOf: Uint16Array
  readonly #priceOf: Float32Array
  readonly #popularityOf: Float32Array
  /** Where each field of the record at hand ends. */
  readonly #fieldEnds = new Uint32Array(RECORD_FIELDS.length)

  constructor(productCount: number, categories: readonly Category[]) {
    this.#categories = categories
    this.#categoryIndexes = new Map(categories.map(({ category_id }, index) => [category_id, index]))
    this.#categoryNames = categories.map(({ name }) => Buffer.from(name))
    this.#categoryOf = new Uint16Array(productCount)
    this.#priceOf = new Float32Array(productCount)
    this.#popularityOf = new Float32Array(productCount)
  }

  /** Takes the line `bytes[start, end)` whose record begins at `recordStart`; answers its document number. */
  add(bytes: Buffer, start: number, recordStart: number, end: number): number {
    const document = this.count++
    const ends = this.#fieldEnds
    findFields(bytes, recordStart, end, ends)
    const idEnd = ends[FIELD.productId]!
    if (this.#ids.intern(bytes, recordStart, idEnd) !== document) {
      const id = bytes.toString('utf8', recordStart, idEnd)
      throw new ArusError('INTERNAL', `Product id ${id} came twice; products must be de-duplicated`)
    }
    const category = this.#categoryIndexes.get(
      numberIn(bytes, ends[FIELD.categoryId - 1]! + 1, ends[FIELD.categoryId]!),
    )
    this.#categoryOf[document] = category ?? NO_CATEGORY
    this.#priceOf[document] = numberIn(bytes, ends[FIELD.price - 1]! + 1, ends[FIELD.price]!) || 0
    this.#popularityOf[document] = numberIn(bytes, start, recordStart - 1)
    const categoryName = category === undefined ? NO_NAME : this.#categoryNames[category]!
    this.#text.add(bytes, idEnd + 1, ends[FIELD.title]!, categoryName)
    return document
  }

  write(file: string): void {
    const categoryOf = this.#categoryOf.subarray(0, this.count)
    writeFlatFile(file, {
      ...this.#ids.sections('ids'),
      ...this.#text.sections(),
      ...byCategory(categoryOf, this.#categories.length),
      'documents.category': categoryOf,
      'documents.price': this.#priceOf.subarray(0, this.count),
      'documents.popularity': this.#popularityOf.subarray(0, this.count),
      categories: Buffer.from(JSON.stringify(this.#categories)),
    })
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

function findFields(bytes: Buffer, start: number, end: number, ends: Uint32Array): void {
  let field = 0
  for (let at = start; at < end; at++) {
    if (bytes[at] === FIELD_SEPARATOR) ends[field++] = at
  }
  ends[field] = end
  assert(field === ends.length - 1, `a product line has ${field + 1} fields, expected ${ends.length}`)
}

/** The number written in `bytes[from, to)`; NaN when there is none. */
function numberIn(bytes: Buffer, from: number, to: number): number {
  return from >= to ? Number.NaN : Number(bytes.toString('latin1', from, to))
}

function fsyncFile(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
