import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { concurrently } from '../concurrently.ts'
import { fileFailure, isMissing } from '../storage-errors.ts'
import { removeStaleFiles, temporaryName } from '../temporary-files.ts'
import type { ObjectName, S3Store } from './s3-store.ts'

export interface DownloadCacheOptions {
  /** A folder of this machine; processes may share it. */
  readonly folder: string
  /** What the files may take together, default 10 GiB; more while all were asked for in the last ten minutes. */
  readonly sizeBytesMax?: number
  readonly now?: () => number
}

interface CachedFile {
  readonly path: string
  readonly sizeBytes: number
  /** When it was last asked for: its modification time is set to that, so that processes see one another's use. */
  readonly askedMs: number
  readonly isUnpublished: boolean
}

const SIZE_BYTES_MAX = 10 * 1024 ** 3
const KEPT_MS = 600_000
/** Times of use are this coarse, to spare a write for each reading. */
const TOUCH_MS = 60_000
/** A file that was written here and not published for so long belongs to a job that is gone. */
const UNPUBLISHED_MS = 86_400_000
const DOWNLOADS_AT_ONCE = 8
const READ_ONLY = 0o444

/**
 * Copies of objects on this machine's disk, least recently asked for first to go. Files that are in the store are
 * read-only here; those that can be written were made here and wait to be published, so they are never evicted.
 */
export class DownloadCache {
  readonly folder: string
  readonly #sizeBytesMax: number
  readonly #now: () => number
  readonly #running = new Map<string, Promise<void>>()
  readonly #etags = new Map<string, string>()
  /** As far as this process knows; null before it has looked. */
  #sizeBytes: number | null = null
  #looksAgainMs = 0

  constructor({ folder, sizeBytesMax = SIZE_BYTES_MAX, now = Date.now }: DownloadCacheOptions) {
    this.folder = folder
    this.#sizeBytesMax = sizeBytesMax
    this.#now = now
  }

  /** Where the copy of an object is, of the store at an address. */
  pathOf(endpoint: string, { bucket, key }: ObjectName): string {
    const store = createHash('sha256').update(endpoint).digest('hex').slice(0, 8)
    return join(this.folder, store, bucket, key)
  }

  /** Makes copies of objects; one that may change is asked for again if it has. */
  async ensure(
    store: S3Store,
    objects: readonly { readonly object: ObjectName; readonly path: string; readonly mayChange: boolean }[],
  ): Promise<void> {
    const byPath = new Map(objects.map((each) => [each.path, each]))
    await concurrently([...byPath.values()], DOWNLOADS_AT_ONCE, (each) => {
      const running = this.#running.get(each.path)
      if (running !== undefined) return running
      const started = this.#ensureOne(store, each).finally(() => this.#running.delete(each.path))
      this.#running.set(each.path, started)
      return started
    })
    await this.#evict()
  }

  /** A file written here is in the store now: keep it as its copy. */
  async keep(path: string, sizeBytes: number): Promise<void> {
    await chmod(path, READ_ONLY).catch(() => {})
    if (this.#sizeBytes !== null) this.#sizeBytes += sizeBytes
    await this.#evict()
  }

  /** The object is another now, or gone. */
  async forget(path: string): Promise<void> {
    this.#etags.delete(path)
    await rm(path, { force: true }).catch(() => {})
  }

  /** Removes downloads that broke off with their process. */
  async removeStale(): Promise<void> {
    await removeStaleFiles(this.folder, this.#now())
  }

  async #ensureOne(
    store: S3Store,
    { object, path, mayChange }: { object: ObjectName; path: string; mayChange: boolean },
  ): Promise<void> {
    const known = await fileAt(path)
    if (known?.isUnpublished) return
    const etag = known === null ? undefined : this.#etags.get(path)
    if (known !== null && !mayChange) return this.#touch(known)
    const temporary = join(this.folder, temporaryName())
    try {
      await mkdir(dirname(path), { recursive: true })
      const found = await store.download(object, temporary, etag)
      if (found === null) return await this.#touch(known!)
      await this.#take(temporary, path)
      this.#etags.set(path, found)
    } catch (error) {
      throw fileFailure(error, `keep a copy of s3://${object.bucket}/${object.key} at ${path}`)
    } finally {
      await rm(temporary, { force: true }).catch(() => {})
    }
  }

  async #take(temporary: string, path: string): Promise<void> {
    const { size } = await stat(temporary)
    await chmod(temporary, READ_ONLY)
    await this.#setTime(temporary)
    await rename(temporary, path)
    if (this.#sizeBytes !== null) this.#sizeBytes += size
  }

  async #touch(file: CachedFile): Promise<void> {
    if (this.#now() - file.askedMs > TOUCH_MS) await this.#setTime(file.path).catch(() => {})
  }

  async #setTime(path: string): Promise<void> {
    await utimes(path, this.#now() / 1_000, this.#now() / 1_000)
  }

  /** Looks at the folder only when it seems too full, and not again for a minute when that did not help. */
  async #evict(): Promise<void> {
    const nowMs = this.#now()
    if (this.#sizeBytes !== null && this.#sizeBytes <= this.#sizeBytesMax) return
    if (nowMs < this.#looksAgainMs) return
    const files = await filesBelow(this.folder)
    let sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
    const oldestFirst = files
      .filter((file) => nowMs - file.askedMs > (file.isUnpublished ? UNPUBLISHED_MS : KEPT_MS))
      .sort((a, b) => a.askedMs - b.askedMs)
    for (const file of oldestFirst) {
      if (sizeBytes <= this.#sizeBytesMax) break
      await this.forget(file.path)
      sizeBytes -= file.sizeBytes
    }
    this.#sizeBytes = sizeBytes
    if (sizeBytes > this.#sizeBytesMax) this.#looksAgainMs = nowMs + TOUCH_MS
  }
}

async function fileAt(path: string): Promise<CachedFile | null> {
  try {
    const facts = await stat(path)
    if (!facts.isFile()) return null
    return { path, sizeBytes: facts.size, askedMs: facts.mtimeMs, isUnpublished: (facts.mode & 0o200) !== 0 }
  } catch (error) {
    if (isMissing(error)) return null
    throw fileFailure(error, `look at ${path}`)
  }
}

async function filesBelow(folder: string): Promise<CachedFile[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  const files = await concurrently(
    entries.filter((entry) => entry.isFile()),
    DOWNLOADS_AT_ONCE,
    (entry) => fileAt(join(entry.parentPath, entry.name)),
  )
  return files.filter((file) => file !== null)
}
