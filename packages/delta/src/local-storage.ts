import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { DeltaError } from './errors.ts'
import type { Storage, StoredFile } from './storage.ts'

const LOG_FOLDER = '_delta_log'
/** A temporary file this old belongs to no running writer. */
const STALE_MS = 3_600_000
const TEMPORARY = /^\.tmp-/

/** A table in a local folder. */
export class LocalStorage implements Storage {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  localPath(path: string): string {
    return join(this.root, path)
  }

  async read(path: string): Promise<Uint8Array> {
    try {
      return await readFile(this.localPath(path))
    } catch (error) {
      if (isMissing(error)) throw new DeltaError('DELTA_NOT_FOUND', `No file ${path} in ${this.root}`, error)
      throw error
    }
  }

  /**
   * Writes and syncs a temporary file, then links it to its name, which fails when the name is taken, then syncs the
   * folder. (Creating the final name first and writing after it can publish an empty file in a crash.)
   */
  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    const target = this.localPath(path)
    const temporary = await this.#writeTemporary(target, bytes)
    try {
      await link(temporary, target)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return 'exists'
      throw error
    } finally {
      await rm(temporary, { force: true })
    }
    await syncFolder(dirname(target))
    return 'created'
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const target = this.localPath(path)
    await rename(await this.#writeTemporary(target, bytes), target)
    await syncFolder(dirname(target))
  }

  async list(folder: string, startAfter = ''): Promise<StoredFile[]> {
    const names = await readdir(this.localPath(folder)).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw error
    })
    const wanted = names.filter((name) => name > startAfter && !TEMPORARY.test(name)).sort()
    const files = await Promise.all(
      wanted.map((name) => this.#fileAt(folder === '' ? name : `${folder}/${name}`)),
    )
    return files.filter((file) => file !== null)
  }

  async listData(): Promise<StoredFile[]> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true })
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(this.root, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((path) => !path.startsWith(`${LOG_FOLDER}/`))
    const files = await Promise.all(paths.map((path) => this.#fileAt(path)))
    return files.filter((file) => file !== null)
  }

  async delete(path: string): Promise<void> {
    await rm(this.localPath(path), { force: true })
  }

  async publish(paths: readonly string[]): Promise<void> {
    const folders = new Set<string>()
    for (const path of paths) {
      const file = await open(this.localPath(path), 'r')
      await file.sync().finally(() => file.close())
      folders.add(dirname(this.localPath(path)))
    }
    for (const folder of folders) await syncFolder(folder)
    await syncFolder(this.root)
  }

  /** Removes temporary files that a writer which is gone left behind. */
  async removeStale(nowMs: number): Promise<void> {
    const folder = this.localPath(LOG_FOLDER)
    for (const name of await readdir(folder).catch(() => [])) {
      if (!TEMPORARY.test(name)) continue
      const facts = await stat(join(folder, name)).catch(() => null)
      if (facts !== null && nowMs - facts.mtimeMs > STALE_MS) await rm(join(folder, name), { force: true })
    }
  }

  async #writeTemporary(target: string, bytes: Uint8Array): Promise<string> {
    await mkdir(dirname(target), { recursive: true })
    const temporary = join(dirname(target), `.tmp-${randomUUID()}`)
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    } finally {
      await file.close()
    }
    return temporary
  }

  /** Null for a file that vanished meanwhile, and for folders. */
  async #fileAt(path: string): Promise<StoredFile | null> {
    const facts = await stat(this.localPath(path)).catch((error: unknown) => {
      if (isMissing(error)) return null
      throw error
    })
    return facts?.isFile() ? { path, sizeBytes: facts.size, modifiedMs: facts.mtimeMs } : null
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
