import { closeSync, fsyncSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArusError } from '../errors.ts'
import { ByteTable } from './byte-table.ts'
import type { Category } from './catalogue.ts'
import { INDEX_FILE, NO_CATEGORY, openRecords, RECORDS_FILE } from './catalogue-files.ts'
import { currentVersion, newVersionFolder, publishVersion, removeVersionsExcept } from './catalogue-folder.ts'
import { writeFlatFile } from './flat-file.ts'
import { encodeProduct, RECORD_BYTES_MAX, type StoredProduct } from './product-record.ts'
import { TextIndexBuilder } from './text-index.ts'

export interface BuildCatalogueOptions {
  readonly folder: string
  readonly categories: readonly Category[]
  /** Upper bound of how many products come, to size tables. */
  readonly productCount: number
  /** Best known first: their order becomes the order of documents. Ids are distinct. */
  readonly products: AsyncIterable<readonly ScoredProduct[]>
  /** UTC ms, for the version's name. */
  readonly nowMs: number
  readonly onProgress?: (done: number) => void
  readonly signal?: AbortSignal
}

export interface ScoredProduct {
  readonly product: StoredProduct
  /** See `popularity.ts`. */
  readonly popularity: number
}

/**
 * Builds a new version of a catalogue beside the one being served and makes it current in one step. Answers its name.
 * Interrupted or failing, it leaves the old version current and its own files are removed now or by the next build.
 * Throws `CANCELLED` on abort, `CATALOGUE_EMPTY` when no product came.
 */
export async function buildCatalogue(options: BuildCatalogueOptions): Promise<string> {
  const { folder, signal } = options
  const previous = currentVersion(folder)
  const { version, path } = await newVersionFolder(folder, options.nowMs)
  try {
    await writeVersion(path, options)
    signal?.throwIfAborted()
  } catch (error) {
    await rm(path, { recursive: true, force: true })
    if (signal?.aborted)
      throw new ArusError('CANCELLED', 'Building the catalogue was stopped', { cause: error })
    throw error
  }
  publishVersion(folder, version)
  await removeVersionsExcept(folder, new Set([version, ...(previous === null ? [] : [previous])]))
  return version
}

async function writeVersion(path: string, options: BuildCatalogueOptions): Promise<void> {
  const columns = new DocumentColumns(options.productCount, options.categories)
  const records = openRecords(path, 'build')
  try {
    const scratch = Buffer.allocUnsafe(RECORD_BYTES_MAX)
    for await (const batch of options.products) {
      options.signal?.throwIfAborted()
      records.transactionSync(() => {
        for (const scored of batch) {
          const length = encodeProduct(scored.product, scratch)
          records.putSync(columns.add(scored), scratch.subarray(0, length), { append: true })
        }
      })
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
  readonly #ids = new ByteTable()
  readonly #idScratch = Buffer.alloc(1024)
  readonly #text = new TextIndexBuilder()
  readonly #categoryOf: Uint16Array
  readonly #priceOf: Float32Array
  readonly #popularityOf: Float32Array

  constructor(productCount: number, categories: readonly Category[]) {
    this.#categories = categories
    this.#categoryOf = new Uint16Array(productCount)
    this.#priceOf = new Float32Array(productCount)
    this.#popularityOf = new Float32Array(productCount)
  }

  add({ product, popularity }: ScoredProduct): number {
    const document = this.count++
    const idBytes = this.#idScratch.write(product.product_id)
    if (this.#ids.intern(this.#idScratch, idBytes) !== document) {
      throw new ArusError(
        'INTERNAL',
        `Product id ${product.product_id} came twice; products must be de-duplicated`,
      )
    }
    this.#categoryOf[document] = product.category_index ?? NO_CATEGORY
    this.#priceOf[document] = product.price ?? 0
    this.#popularityOf[document] = popularity
    const category = product.category_index === null ? undefined : this.#categories[product.category_index]
    this.#text.add(product.title, category?.name ?? '')
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

function fsyncFile(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
