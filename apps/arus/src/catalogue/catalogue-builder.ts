import assert from 'node:assert'
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArusError } from '../errors.ts'
import type { Category } from './catalogue.ts'
import { CatalogueColumns } from './catalogue-columns.ts'
import { BLOCK_BYTES, INDEX_FILE, openRecords, RECORDS_FILE, type Records } from './catalogue-files.ts'
import { currentVersion, publishBuild, removeVersionsExcept } from './catalogue-folder.ts'
import { writeFlatFile } from './flat-file.ts'
import { NUMBER, NUMBERS_READ, readLineHead } from './product-record.ts'
import { makeWorkingFolder } from './working-folder.ts'

export interface BuildCatalogueOptions {
  readonly folder: string
  readonly categories: readonly Category[]
  /** Upper bound of how many products come, to size tables. */
  readonly productCount: number
  /**
   * Bytes of product lines (`product-record.ts`), each ended by a line feed, cut anywhere, in any order. Ids are distinct.
   * A chunk is read before the next is asked for.
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
  const columns = new CatalogueColumns(options.productCount, options.categories)
  const records = openRecords(path, 'build')
  try {
    const writer = new BlockWriter(records, columns)
    let carry: Buffer = Buffer.alloc(0)
    for await (const chunk of options.lines) {
      options.signal?.throwIfAborted()
      const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk])
      carry = Buffer.from(bytes.subarray(records.transactionSync(() => writer.write(bytes))))
      options.onProgress?.(columns.count)
    }
    assert(carry.length === 0, 'the last product line is not whole')
  } finally {
    await records.close()
  }
  if (columns.count === 0)
    throw new ArusError('CATALOGUE_EMPTY', 'No product was left to serve after the import')
  fsyncFile(join(path, RECORDS_FILE))
  writeFlatFile(join(path, INDEX_FILE), columns.sections())
}

/** Stores lines as they stand, several in a block, and passes on what is kept in columns. */
class BlockWriter {
  readonly #records: Records
  readonly #columns: CatalogueColumns
  readonly #numbers = new Float64Array(NUMBERS_READ)
  #block = 0

  constructor(records: Records, columns: CatalogueColumns) {
    this.#records = records
    this.#columns = columns
  }

  /** Takes every whole line in `bytes`; answers where the first that is not begins. */
  write(bytes: Buffer): number {
    let blockStart = 0
    let at = 0
    for (;;) {
      const textStart = readLineHead(bytes, at, bytes.length, this.#numbers)
      const end = textStart < 0 ? Number.POSITIVE_INFINITY : lineEnd(textStart, this.#numbers)
      const isWhole = end <= bytes.length
      if (at > blockStart && (!isWhole || end - blockStart > BLOCK_BYTES)) {
        this.#records.putSync(this.#block++, bytes.subarray(blockStart, at), { append: true })
        blockStart = at
      }
      if (!isWhole) return at
      this.#columns.add(this.#numbers, bytes, textStart, { block: this.#block, offset: at - blockStart })
      at = end
    }
  }
}

/** Just after the line feed of the line whose texts begin at `textStart`. */
function lineEnd(textStart: number, numbers: Float64Array): number {
  let end = textStart + 1
  for (let field = NUMBER.productIdBytes; field <= NUMBER.productUrlBytes; field++) end += numbers[field]!
  return end
}

function fsyncFile(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
