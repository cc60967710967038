import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { currentVersion } from './catalogue-folder.ts'
import type { ImportReport } from './import-report.ts'
import type { LakeContent } from './lake-content.ts'

/** What tells one file from another without reading it whole. */
export interface FileMark {
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** SHA-256 over its first and last 64 KiB. */
  readonly digest: string
}

/** What made the current catalogue: an import, or the lake as it stood. */
export interface ImportMarker {
  /** Of the files of the catalogue it made, `CATALOGUE_FORMAT` then; absent before there was a second. */
  readonly format?: number
  /** Null where it was built from the lake. */
  readonly products: FileMark | null
  readonly categories: FileMark | null
  /** Absent where an older Arus built it. */
  readonly lake?: LakeContent
  readonly report: Pick<ImportReport, 'catalogue_version'> & { readonly products_file: string | null }
}

const MARKER_FILE = 'arus-import.json'
const SAMPLE_BYTES = 1 << 16

/** The mark of a file, or null when it cannot be read. */
export async function markOf(file: string): Promise<FileMark | null> {
  try {
    const facts = await stat(file)
    await using handle = await open(file, 'r')
    const sample = Buffer.alloc(SAMPLE_BYTES)
    const hash = createHash('sha256')
    for (const position of [0, Math.max(0, facts.size - SAMPLE_BYTES)]) {
      const { bytesRead } = await handle.read(sample, 0, SAMPLE_BYTES, position)
      hash.update(sample.subarray(0, bytesRead))
    }
    return { sizeBytes: facts.size, modifiedMs: facts.mtimeMs, digest: hash.digest('hex') }
  } catch {
    return null
  }
}

/** The finished import whose catalogue is current in `folder`; null when there is none, or one began and never ended. */
export async function importedSource(folder: string): Promise<ImportMarker | null> {
  try {
    const marker: ImportMarker = JSON.parse(await readFile(join(folder, MARKER_FILE), 'utf8'))
    return marker.report.catalogue_version === currentVersion(folder) ? marker : null
  } catch {
    return null
  }
}

/** Remembers a finished import, durably: the file appears whole. */
export async function writeMarker(folder: string, marker: ImportMarker): Promise<void> {
  const partial = join(folder, `${MARKER_FILE}.partial`)
  await mkdir(folder, { recursive: true })
  await writeFile(partial, `${JSON.stringify(marker, null, 2)}\n`, { flush: true })
  await rename(partial, join(folder, MARKER_FILE))
}

/** Forgets the last import, before another begins: from here on the lake may be newer than the catalogue. */
export async function removeMarker(folder: string): Promise<void> {
  await rm(join(folder, MARKER_FILE), { force: true })
}
