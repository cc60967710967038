import { randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileParts } from '@arus/recommenders'
import { sha256Of } from '../artefact-hash.ts'

export interface ArtefactCacheOptions {
  /** A folder of this machine; processes may share it. */
  readonly folder: string
  /** What the files may take together; one that is larger alone is kept until the next comes. */
  readonly sizeBytesMax: number
  readonly now?: () => number
}

const SUFFIX = '.model'
/** Half-written files of a process that is gone. */
const ABANDONED_MS = 3_600_000

/** Copies of artefacts by their SHA-256, the longest unused to go first. */
export class ArtefactCache {
  readonly #folder: string
  readonly #sizeBytesMax: number
  readonly #now: () => number

  constructor({ folder, sizeBytesMax, now = Date.now }: ArtefactCacheOptions) {
    this.#folder = folder
    this.#sizeBytesMax = sizeBytesMax
    this.#now = now
  }

  /** Null when there is no copy, or one that is not what it was: that one is removed. */
  async get(sha256: string): Promise<Uint8Array | null> {
    const path = this.#path(sha256)
    const bytes = await readFile(path).catch(() => null)
    if (bytes === null) return null
    if (sha256Of([bytes]) !== sha256) {
      await rm(path, { force: true })
      return null
    }
    const nowSeconds = this.#now() / 1_000
    // It may have been evicted by another process since.
    await utimes(path, nowSeconds, nowSeconds).catch(() => {})
    return bytes
  }

  async put(sha256: string, artefact: FileParts): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const temporary = join(this.#folder, `${randomUUID()}.tmp`)
    try {
      await writeFile(temporary, artefact)
      await rename(temporary, this.#path(sha256))
    } finally {
      await rm(temporary, { force: true })
    }
    await this.#evict(sha256)
  }

  /** What was put, read while it is sent. */
  blob(sha256: string): Promise<Blob> {
    return openAsBlob(this.#path(sha256))
  }

  async #evict(newest: string): Promise<void> {
    const names = await readdir(this.#folder)
    const files = await Promise.all(
      names.map(async (name) => {
        const facts = await stat(join(this.#folder, name)).catch(() => null)
        return { name, sizeBytes: facts?.size ?? 0, usedMs: facts?.mtimeMs ?? 0 }
      }),
    )
    const isAbandoned = (file: { readonly name: string; readonly usedMs: number }) =>
      file.name.endsWith('.tmp') && file.usedMs < this.#now() - ABANDONED_MS
    const copies = files.filter(({ name }) => name.endsWith(SUFFIX)).sort((a, b) => a.usedMs - b.usedMs)
    let sizeBytes = copies.reduce((sum, file) => sum + file.sizeBytes, 0)
    const evicted = copies.filter((file) => {
      if (sizeBytes <= this.#sizeBytesMax || file.name === newest + SUFFIX) return false
      sizeBytes -= file.sizeBytes
      return true
    })
    for (const { name } of [...evicted, ...files.filter(isAbandoned)])
      await rm(join(this.#folder, name), { force: true })
  }

  #path(sha256: string): string {
    return join(this.#folder, sha256 + SUFFIX)
  }
}
