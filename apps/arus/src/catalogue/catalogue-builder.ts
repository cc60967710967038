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
  const path = await makeWorkingFolder(folder)
  try {
    await writeVersion(path, options)
    signal?.throwIfAborted()
    return await publish(path, options)
  } catch (error) {
    await rm(path, { recursive: true, force: true })
    if (signal?.aborted)
      throw new ArusError('CANCELLED', 'Building the catalogue was stopped', { cause: error })
    throw error
  }
}

let publishing: Promise<unknown> = Promise.resolve()

/** One at a time: another would remove the version that was just made, as one of those before its own. */
function publish(path: string, { folder, nowMs }: BuildCatalogueOptions): Promise<string> {
  const published = publishing.then(async () => {
    const previous = currentVersion(folder)
    const version = await publishBuild(folder, path, nowMs)
    await removeVersionsExcept(folder, new Set([version, ...(previous === null ? [] : [previous])]))
    return version
  })
  publishing = published.catch(() => {})
  return published
}

async function writeVersion(path: string, options: BuildCatalogueOptions): Promise<void> {
  const textsFile = join(path, TEXTS_FILE)
  await options.products.writeTexts(textsFile)
  const isWritten = (await writeIndex(path, options, false)) || (await writeIndex(path, options, true))
  if (!isWritten) throw new ArusError('INTERNAL', `${textsFile} has other lines than were announced`)
  fsyncFile(textsFile)
}

/** False where a text holds what should end it, so that lines cannot be cut without being told their lengths. */
async function writeIndex(
  path: string,
  options: BuildCatalogueOptions,
  withTextBytes: boolean,
): Promise<boolean> {
  const columns = new CatalogueColumns(options.categories, path)
  try {
    if (!(await readProducts(columns, join(path, TEXTS_FILE), options, withTextBytes))) return false
    if (columns.count === 0)
      throw new ArusError('CATALOGUE_EMPTY', 'No product was left to serve after the import')
    writeFlatFile(join(path, INDEX_FILE), columns.sections())
    return true
  } finally {
    columns.close()
  }
}

/** False where lines cannot be cut. */
async function readProducts(
  columns: CatalogueColumns,
  textsFile: string,
  { products, signal, onProgress }: BuildCatalogueOptions,
  withTextBytes: boolean,
): Promise<boolean> {
  const lines = columns.linesOf(textsFile)
  try {
    for await (const numbers of products.numbers({ withTextBytes })) {
      signal?.throwIfAborted()
      if (!columns.add(numbers, lines)) return false
      onProgress?.(columns.count)
    }
    return lines.isAtEnd()
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
