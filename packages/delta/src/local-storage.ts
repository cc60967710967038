import { type Dirent, statSync } from 'node:fs'
import { link, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { concurrently } from './concurrently.ts'
import { DeltaError } from './errors.ts'
import { FolderSync } from './folder-sync.ts'
import type { Storage, StoredFile } from './storage.ts'
import { errorCode, fileFailure, isMissing, readFailure, unknownOutcome } from './storage-errors.ts'
import { parseStoragePath, relativePath, sortByBytes, sortsAfter, unsupportedPath } from './storage-paths.ts'
import { isTemporary, removeQuietly, removeStaleFiles, temporaryName } from './temporary-files.ts'

const LOG_FOLDER = '_delta_log'
/** Node's file operations run on four threads; a few more keep those busy, and many when each takes microseconds. */
const CONCURRENCY = 8
const STATS_AT_ONCE = 64

/** A table in a local folder, on a file system with hard links. */
export class LocalStorage implements Storage {
  /** The folder, absolute. */
  readonly root: string
  readonly #now: () => number
  readonly #folders: FolderSync
  /** Files the disk failed to sync: it may have dropped their pages, and another fsync would say that all is well. */
  readonly #unsynced = new Set<string>()
  /** Temporary files that the last listing of the log came across, until they are looked at: to list it again costs as much. */
  #temporaryFiles: readonly string[] | null = null

  constructor(root: string, { now = Date.now }: { readonly now?: () => number } = {}) {
    this.root = resolve(root)
    this.#now = now
    this.#folders = new FolderSync(this.root)
  }

  get location(): string {
    return this.root
  }

  localPath(path: string): string {
    const parsed = parseStoragePath(path)
    if (parsed.kind === 'relative') return join(this.root, parsed.path)
    if (parsed.scheme !== 'file') throw unsupportedPath(path, 'a local table reads file: URIs only')
    try {
      return fileURLToPath(parsed.uri)
    } catch (error) {
      throw unsupportedPath(path, `it names no file of this machine (${error})`)
    }
  }

  async read(path: string): Promise<Uint8Array> {
    try {
      const local = this.localPath(path)
      // A log may name any file of this machine, and a device never ends.
      if (parseStoragePath(path).kind === 'uri' && !isFile(local)) throw noFile(path, this.root)
      return await readFile(local)
    } catch (error) {
      throw readFailure(error, path)
    }
  }

  /**
   * Writes and syncs a temporary file, then links it to its name, which fails when the name is taken, then syncs the
   * folder. (Creating the final name first and writing after it can publish an empty file in a crash.)
   */
  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    const target = this.#targetOf(path)
    const temporary = await this.#writeTemporary(path, target, bytes)
    try {
      if (!(await this.#link(temporary, target, path))) return 'exists'
    } finally {
      await removeQuietly(temporary)
    }
    await this.#syncFolderOf(target, path)
    return 'created'
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const target = this.#targetOf(path)
    const temporary = await this.#writeTemporary(path, target, bytes)
    try {
      await rename(temporary, target)
    } catch (error) {
      await removeQuietly(temporary)
      throw fileFailure(error, `write ${path}`)
    }
    await this.#syncFolderOf(target, path)
  }

  async list(folder: string, startAfter = ''): Promise<StoredFile[]> {
    // Their kind is seen with their size: an object for each entry of a long log costs as much as reading the folder.
    const names = await this.#readFolder(relativePath(folder), (path) => readdir(path))
    if (folder === LOG_FOLDER) this.#temporaryFiles = names.filter(isTemporary)
    const listed = names.filter((name) => sortsAfter(name, startAfter) && !isTemporary(name))
    return this.#filesAt(sortByBytes(listed).map((name) => pathIn(folder, name)))
  }

  async listNames(folder: string, startAfter = ''): Promise<string[]> {
    const entries = await this.#entriesOf(relativePath(folder))
    if (folder === LOG_FOLDER) this.#temporaryFiles = entries.map(({ name }) => name).filter(isTemporary)
    const isListed = (entry: Dirent) =>
      mayBeFile(entry) && sortsAfter(entry.name, startAfter) && !isTemporary(entry.name)
    return sortByBytes(entries.filter(isListed).map((entry) => entry.name))
  }

  async listData(): Promise<StoredFile[]> {
    return this.#filesAt(sortByBytes(await this.#pathsBelow('')))
  }

  async delete(path: string): Promise<void> {
    try {
      await unlink(this.#targetOf(path))
    } catch (error) {
      if (!isMissing(error)) throw fileFailure(error, `delete ${path}`)
    }
  }

  async ensureLocal(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      // Microseconds each; a query that fails half-way because of a file that is gone is worse.
      if (!isFile(this.localPath(path))) throw noFile(path, this.root)
    }
  }

  async publish(paths: readonly string[]): Promise<void> {
    const targets = paths.map((path) => ({ path, target: this.#targetOf(path) }))
    await concurrently(targets, CONCURRENCY, ({ path, target }) => this.#syncFile(path, target))
    const folders = new Set(targets.map(({ target }) => dirname(target)))
    try {
      await this.#folders.syncUpToRoot(folders)
    } catch (error) {
      for (const { target } of targets) this.#unsynced.add(target)
      throw fileFailure(error, `sync the folders of ${paths.length} files in ${this.root}`)
    }
  }

  async removeStale(): Promise<void> {
    const known = this.#temporaryFiles
    this.#temporaryFiles = null
    await removeStaleFiles(join(this.root, LOG_FOLDER), this.#now(), known)
  }

  /** The absolute path of a file that is to be written, synced or deleted. */
  #targetOf(path: string): string {
    if (path === '') throw unsupportedPath(path, 'the root is a folder')
    return join(this.root, relativePath(path))
  }

  /** In the log's folder whatever the target is, so that there is one place to look for those left behind. */
  async #writeTemporary(path: string, target: string, bytes: Uint8Array): Promise<string> {
    const folder = join(this.root, LOG_FOLDER)
    const temporary = join(folder, temporaryName())
    try {
      await this.#folders.make(folder)
      await this.#folders.make(dirname(target))
      const file = await open(temporary, 'wx')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      return temporary
    } catch (error) {
      await removeQuietly(temporary)
      throw fileFailure(error, `write ${path}`)
    }
  }

  /**
   * False when the name is taken. Whatever `link` says, the temporary file having the name means that it worked: over NFS
   * the answer of the first try can be lost, and the second finds the name taken by itself.
   */
  async #link(temporary: string, target: string, path: string): Promise<boolean> {
    try {
      await link(temporary, target)
      return true
    } catch (error) {
      const isOurs = await isSameFile(temporary, target).catch((reason: unknown) => {
        throw unknownOutcome(new AggregateError([error, reason], String(error)), path)
      })
      if (isOurs) return true
      if (errorCode(error) === 'EEXIST') return false
      throw fileFailure(error, `give ${path} its name`)
    }
  }

  /** After the name was given: an error here leaves it open whether the name survives a power loss. */
  async #syncFolderOf(target: string, path: string): Promise<void> {
    try {
      await this.#folders.sync(dirname(target))
    } catch (error) {
      throw unknownOutcome(error, path)
    }
  }

  async #syncFile(path: string, target: string): Promise<void> {
    if (this.#unsynced.has(target)) {
      throw new DeltaError(
        'DELTA_STORAGE_FAILED',
        `The disk failed to store ${path} before; write its rows again, under another name`,
      )
    }
    const file = await open(target, 'r+').catch((error: unknown) => {
      throw readFailure(error, path)
    })
    try {
      await file.sync()
    } catch (error) {
      this.#unsynced.add(target)
      throw fileFailure(error, `sync ${path}`)
    } finally {
      await file.close()
    }
  }

  /** Folders and files directly in a folder; none when it is not there. */
  #entriesOf(folder: string): Promise<Dirent[]> {
    return this.#readFolder(folder, (path) => readdir(path, { withFileTypes: true }))
  }

  /** What `read` finds in a folder; nothing where there is none. */
  async #readFolder<T>(folder: string, read: (path: string) => Promise<T[]>): Promise<T[]> {
    try {
      return await read(join(this.root, folder))
    } catch (error) {
      if (isMissing(error)) return []
      throw fileFailure(error, `list ${folder === '' ? this.root : folder}`)
    }
  }

  async #pathsBelow(folder: string): Promise<string[]> {
    const entries = (await this.#entriesOf(folder)).filter((entry) => !isTemporary(entry.name))
    const pathOf = ({ name }: Dirent) => pathIn(folder, name)
    const folders = entries.filter((entry) => entry.isDirectory() && pathOf(entry) !== LOG_FOLDER)
    const below = await concurrently(folders, CONCURRENCY, (entry) => this.#pathsBelow(pathOf(entry)))
    return [...entries.filter(mayBeFile).map(pathOf), ...below.flat()]
  }

  /** Leaves out files that vanished meanwhile. */
  async #filesAt(paths: readonly string[]): Promise<StoredFile[]> {
    const files = await concurrently(paths, STATS_AT_ONCE, async (path) => {
      try {
        const facts = await stat(join(this.root, path))
        return facts.isFile() ? { path, sizeBytes: facts.size, modifiedMs: facts.mtimeMs } : null
      } catch (error) {
        if (isMissing(error)) return null
        throw fileFailure(error, `look at ${path}`)
      }
    })
    return files.filter((file) => file !== null)
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function noFile(path: string, root: string): DeltaError {
  return new DeltaError('DELTA_NOT_FOUND', `No file ${path} in ${root}`)
}

function pathIn(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

function mayBeFile(entry: Dirent): boolean {
  return entry.isFile() || entry.isSymbolicLink()
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([
    stat(a, { bigint: true }),
    stat(b, { bigint: true }).catch((error: unknown) => {
      if (isMissing(error)) return null
      throw error
    }),
  ])
  return other !== null && one.ino === other.ino && one.dev === other.dev
}
