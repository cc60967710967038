import { closeSync, fsyncSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArusError } from '../errors.ts'
import type { Category } from './catalogue.ts'
import { CatalogueColumns } from './catalogue-columns.ts'
import { INDEX_FILE, TEXTS_FILE } from './catalogue-files.ts'
import { currentVersion, publishBuild, removeVersionsExcept } from './catalogue-folder.ts'
import { writeFlatFile } from './flat-file.ts'
import type { ProductSource } from './stored-product.ts'
import { TextLines } from './text-lines.ts'
import { makeWorkingFolder } from './working-folder.ts'

export interface BuildCatalogueOptions {
  readonly folder: string
  readonly categories: readonly Category[]
  /** Upper bound of how many products come, to size tables. */
  readonly productCount: number
  /** In any order. Ids are distinct. */
  readonly products: ProductSource
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
  const { products, signal, onProgress } = options
  const columns = new CatalogueColumns(options.productCount, options.categories)
  const textsFile = join(path, TEXTS_FILE)
  await products.writeTexts(textsFile)
  const lines = new TextLines(textsFile)
  try {
    for await (const numbers of products.numbers()) {
      signal?.throwIfAborted()
      columns.add(numbers, lines)
      onProgress?.(columns.count)
    }
    lines.assertAtEnd()
  } finally {
    lines.close()
  }
  if (columns.count === 0)
    throw new ArusError('CATALOGUE_EMPTY', 'No product was left to serve after the import')
  fsyncFile(textsFile)
  writeFlatFile(join(path, INDEX_FILE), columns.sections())
}

function fsyncFile(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
