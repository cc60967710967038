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
  const textsFile = join(path, TEXTS_FILE)
  await options.products.writeTexts(textsFile)
  const columns =
    (await readProducts(textsFile, options, false)) ?? (await readProducts(textsFile, options, true))
  if (columns === null) throw new ArusError('INTERNAL', `${textsFile} has other lines than were announced`)
  if (columns.count === 0)
    throw new ArusError('CATALOGUE_EMPTY', 'No product was left to serve after the import')
  fsyncFile(textsFile)
  writeFlatFile(join(path, INDEX_FILE), columns.sections())
}

/** Null where a text holds what should end it, so that lines cannot be cut without being told their lengths. */
async function readProducts(
  textsFile: string,
  { products, productCount, categories, signal, onProgress }: BuildCatalogueOptions,
  withTextBytes: boolean,
): Promise<CatalogueColumns | null> {
  const columns = new CatalogueColumns(productCount, categories)
  const lines = columns.linesOf(textsFile)
  try {
    for await (const numbers of products.numbers({ withTextBytes })) {
      signal?.throwIfAborted()
      if (!columns.add(numbers, lines)) return null
      onProgress?.(columns.count)
    }
    return lines.isAtEnd() ? columns : null
  } finally {
    lines.close()
  }
}

function fsyncFile(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
