import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { concurrently } from './concurrently.ts'
import { DeltaError } from './errors.ts'
import { errorCode } from './storage-errors.ts'

const CONCURRENCY = 8
/** What file systems answer that know no fsync of folders. */
const NOT_A_FAILURE: ReadonlySet<unknown> = new Set(['EINVAL', 'ENOTSUP'])

/**
 * Makes folders below a root, and makes their entries durable. A file's own fsync says nothing of its name: that is in
 * the folder, whose name is in the folder above. So a folder is synced from itself up to the root's parent the first time
 * it is used, whoever made it (another process may have, and not have come to its own sync yet), and alone after that.
 *
 * A folder whose sync has failed is refused from then on: the kernel may have dropped what it could not write, and a
 * second fsync would say that all is well.
 */
export class FolderSync {
  readonly #root: string
  readonly #isRooted = new Set<string>()
  readonly #failed = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  /** Makes a folder with those above it; their own entries are durable when this resolves. */
  async make(folder: string): Promise<void> {
    this.#refuseFailed(folder)
    const topmostMade = await mkdir(folder, { recursive: true })
    if (topmostMade === undefined && this.#isRooted.has(folder)) return
    const top = shorter(dirname(topmostMade ?? this.#root), dirname(this.#root))
    await this.#syncAll(foldersBetween(dirname(folder), top))
    this.#isRooted.add(folder)
  }

  /** Makes the entries of a folder durable. */
  async sync(folder: string): Promise<void> {
    this.#refuseFailed(folder)
    try {
      await this.#syncFolder(folder)
    } catch (error) {
      this.#failed.add(folder)
      throw error
    }
  }

  /** Makes the entries of folders durable, and of those above them up to the root's parent. */
  async syncUpToRoot(folders: Iterable<string>): Promise<void> {
    const all = new Set<string>()
    for (const folder of folders) for (const each of foldersBetween(folder, this.#root)) all.add(each)
    await this.make(this.#root)
    await this.#syncAll([...all])
  }

  async #syncAll(folders: readonly string[]): Promise<void> {
    await concurrently(folders, CONCURRENCY, (folder) => this.sync(folder))
  }

  /** Windows cannot open folders, and keeps their entries in its journal. */
  async #syncFolder(path: string): Promise<void> {
    if (process.platform === 'win32') return
    try {
      const folder = await open(path, 'r')
      await folder.sync().finally(() => folder.close())
    } catch (error) {
      // A folder above the table may be closed to us, or another file system's; then it is its owner's to sync.
      const isAbove = path.length < this.#root.length
      if (!NOT_A_FAILURE.has(errorCode(error)) && !(isAbove && errorCode(error) === 'EACCES')) throw error
    }
  }

  #refuseFailed(folder: string): void {
    if (!this.#failed.has(folder)) return
    throw new DeltaError(
      'DELTA_STORAGE_FAILED',
      `The disk failed to store the entries of ${folder} before; check it, then open the table again`,
    )
  }
}

/** `folder` and those above it up to and with `top`. */
function foldersBetween(folder: string, top: string): string[] {
  const folders = [folder]
  for (let each = folder; each !== top && each !== dirname(each); ) {
    each = dirname(each)
    folders.push(each)
  }
  return folders
}

function shorter(a: string, b: string): string {
  return a.length < b.length ? a : b
}
