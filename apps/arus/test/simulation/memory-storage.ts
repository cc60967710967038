import { DeltaError, type Storage, type StoredFile } from '@arus/delta'
import { AT_ONCE, type Io, written } from './io.ts'

/** Files by path. */
export type StorageContent = Map<string, Uint8Array>

/** A table's storage in memory. Data files are put like others: there is no disk beside it. */
export class MemoryStorage implements Storage {
  readonly location = 'memory'
  readonly #files: StorageContent
  readonly #io: Io

  constructor(files: StorageContent = new Map(), io: Io = AT_ONCE) {
    this.#files = files
    this.#io = io
  }

  async read(path: string): Promise<Uint8Array> {
    await this.#io.read('storage.read')
    const bytes = this.#files.get(path)
    if (bytes === undefined) throw new DeltaError('DELTA_NOT_FOUND', `there is no ${path}`)
    return Uint8Array.from(bytes)
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return written(this.#io, 'storage.create', {
      write: () => {
        if (this.#files.has(path)) return 'exists'
        this.#files.set(path, Uint8Array.from(bytes))
        return 'created'
      },
      failure: failed,
    })
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await written(this.#io, 'storage.put', {
      write: () => this.#files.set(path, Uint8Array.from(bytes)),
      failure: failed,
    })
  }

  async list(folder: string, startAfter?: string): Promise<StoredFile[]> {
    const names = await this.listNames(folder, startAfter)
    return names.map((name) => {
      const path = folder === '' ? name : `${folder}/${name}`
      return { path, sizeBytes: this.#files.get(path)?.length ?? 0, modifiedMs: 0 }
    })
  }

  async listNames(folder: string, startAfter = ''): Promise<string[]> {
    await this.#io.read('storage.list')
    const prefix = folder === '' ? '' : `${folder}/`
    return [...this.#files.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
      .filter((name) => !name.includes('/') && !name.startsWith('.tmp-') && name > startAfter)
      .sort()
  }

  async listData(): Promise<StoredFile[]> {
    const paths = [...this.#files.keys()].filter((path) => !path.startsWith('_delta_log/')).sort()
    return paths.map((path) => ({ path, sizeBytes: this.#files.get(path)?.length ?? 0, modifiedMs: 0 }))
  }

  async delete(path: string): Promise<void> {
    await this.#io.wait('storage.delete')
    this.#files.delete(path)
  }

  localPath(path: string): string {
    return path
  }

  async ensureLocal(): Promise<void> {}

  async publish(paths: readonly string[]): Promise<void> {
    await this.#io.wait('storage.publish')
    const missing = paths.find((path) => !this.#files.has(path))
    if (missing !== undefined) throw new DeltaError('DELTA_NOT_FOUND', `there is no ${missing}`)
  }

  async removeStale(): Promise<void> {}
}

function failed(fault: 'before' | 'after'): DeltaError {
  return fault === 'before'
    ? new DeltaError('DELTA_STORAGE_UNAVAILABLE', 'the store does not answer')
    : new DeltaError('DELTA_OUTCOME_UNKNOWN', 'the answer was lost')
}
