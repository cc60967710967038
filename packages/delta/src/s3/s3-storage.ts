import { stat } from 'node:fs/promises'
import { concurrently } from '../concurrently.ts'
import type { Storage, StoredFile } from '../storage.ts'
import { readFailure } from '../storage-errors.ts'
import { parseStoragePath, relativePath, unsupportedPath } from '../storage-paths.ts'
import { isTemporary, removeStaleFiles, STALE_MS, temporaryName, writerStateOf } from '../temporary-files.ts'
import type { DownloadCache } from './download-cache.ts'
import type { ListedObject, ObjectName, S3Store } from './s3-store.ts'
import { upload } from './upload.ts'

export interface S3StorageOptions {
  readonly store: S3Store
  readonly bucket: string
  /** Path of the table in the bucket; none is the bucket itself. */
  readonly prefix?: string
  /** Copies of the table's files for the engine. Tables may share one. */
  readonly cache: DownloadCache
  readonly now?: () => number
}

const LOG_FOLDER = '_delta_log'
const S3_URI = /^s3a?:\/\/([^/]+)\/(.+)$/i
const UPLOADS_AT_ONCE = 4

/**
 * A table in an S3 bucket. Its commits need a store with conditional writes (`If-None-Match: *`), as AWS, MinIO and SeaweedFS
 * have; on another nothing is created.
 */
export class S3Storage implements Storage {
  readonly location: string
  readonly #store: S3Store
  readonly #cache: DownloadCache
  readonly #bucket: string
  /** Ends with `/`, or is empty. */
  readonly #prefix: string
  readonly #now: () => number

  constructor({ store, bucket, prefix = '', cache, now = Date.now }: S3StorageOptions) {
    const path = relativePath(prefix.replace(/^\/+|\/+$/g, ''))
    this.#store = store
    this.#cache = cache
    this.#bucket = bucket
    this.#prefix = path === '' ? '' : `${path}/`
    this.#now = now
    this.location = `s3://${bucket}/${path}`
  }

  async read(path: string): Promise<Uint8Array> {
    return this.#store.read(this.#objectOf(path))
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    const object = this.#ownObject(path)
    await this.proveConditionalWrites()
    try {
      return await this.#store.putIfAbsent(object, bytes)
    } finally {
      await this.#cache.forget(this.localPath(path))
    }
  }

  /** Throws `DELTA_STORAGE_UNSUPPORTED` where commits would be lost. The store is asked once; no `putIfAbsent` goes before. */
  async proveConditionalWrites(): Promise<void> {
    await this.#store.proveConditionalWrites(this.#ownObject(`${LOG_FOLDER}/${temporaryName()}`))
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const object = this.#ownObject(path)
    try {
      await this.#store.put(object, bytes)
    } finally {
      await this.#cache.forget(this.localPath(path))
    }
  }

  async list(folder: string, startAfter = ''): Promise<StoredFile[]> {
    const path = relativePath(folder)
    const prefix = path === '' ? this.#prefix : `${this.#prefix}${path}/`
    const objects = await this.#store.list(this.#bucket, prefix, {
      delimiter: '/',
      ...(startAfter === '' ? {} : { startAfter: prefix + startAfter }),
    })
    return this.#filesOf(objects)
  }

  async listNames(folder: string, startAfter = ''): Promise<string[]> {
    return (await this.list(folder, startAfter)).map((file) => nameOf(file.path))
  }

  async listData(): Promise<StoredFile[]> {
    const files = this.#filesOf(await this.#store.list(this.#bucket, this.#prefix))
    return files.filter((file) => !file.path.startsWith(`${LOG_FOLDER}/`))
  }

  async delete(path: string): Promise<void> {
    await this.#store.delete(this.#ownObject(path))
    await this.#cache.forget(this.localPath(path))
  }

  localPath(path: string): string {
    return this.#cache.pathOf(this.#store.address, this.#objectOf(path))
  }

  async ensureLocal(paths: readonly string[]): Promise<void> {
    await this.#cache.ensure(
      this.#store,
      paths.map((path) => ({
        object: this.#objectOf(path),
        path: this.localPath(path),
        // Names in the log come again when a table is dropped and made anew; data files are named at random.
        mayChange: path.startsWith(`${LOG_FOLDER}/`) || path.includes(`/${LOG_FOLDER}/`),
      })),
    )
  }

  async publish(paths: readonly string[]): Promise<void> {
    const files = paths.map((path) => ({ path, object: this.#ownObject(path), local: this.localPath(path) }))
    await concurrently(files, UPLOADS_AT_ONCE, async ({ path, object, local }) => {
      const { size } = await stat(local).catch((error: unknown) => {
        throw readFailure(error, path)
      })
      await upload(this.#store, object, { path: local, sizeBytes: size })
      await this.#cache.keep(local, size)
    })
  }

  async removeStale(): Promise<void> {
    await removeStaleFiles(this.localPath(LOG_FOLDER), this.#now())
    await this.#cache.removeStale()
    await this.#removeStaleObjects().catch(() => {})
  }

  async #removeStaleObjects(): Promise<void> {
    const objects = await this.#store.list(this.#bucket, `${this.#prefix}${LOG_FOLDER}/.tmp-`)
    for (const { key, modifiedMs } of objects) {
      const state = writerStateOf(nameOf(key))
      const isStale = state === 'unknown' ? this.#now() - modifiedMs > STALE_MS : state === 'gone'
      if (isStale) await this.#store.delete({ bucket: this.#bucket, key })
    }
  }

  /** Leaves out the empty objects some tools put where a folder begins. */
  #filesOf(objects: readonly ListedObject[]): StoredFile[] {
    return objects
      .filter(({ key }) => !key.endsWith('/') && !isTemporary(nameOf(key)))
      .map(({ key, sizeBytes, modifiedMs }) => ({
        path: key.slice(this.#prefix.length),
        sizeBytes,
        modifiedMs,
      }))
  }

  #ownObject(path: string): ObjectName {
    if (path === '') throw unsupportedPath(path, 'the root is no file')
    return { bucket: this.#bucket, key: this.#prefix + relativePath(path) }
  }

  #objectOf(path: string): ObjectName {
    const parsed = parseStoragePath(path)
    if (parsed.kind === 'relative') return { bucket: this.#bucket, key: this.#prefix + parsed.path }
    const [, bucket, key] = S3_URI.exec(parsed.uri) ?? []
    if (bucket === undefined || key === undefined) {
      throw unsupportedPath(path, 'a table on S3 reads s3: and s3a: URIs only')
    }
    return { bucket, key: relativePath(decoded(key, path)) }
  }
}

function decoded(key: string, path: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    throw unsupportedPath(path, 'it is not URI-encoded')
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
