import { type FSWatcher, watch } from 'node:fs'

/** Files that appear below a folder. */
export class FileWatch {
  readonly #watcher: FSWatcher
  readonly #next = Promise.withResolvers<void>()

  constructor(folder: string, name: RegExp) {
    this.#watcher = watch(folder, { recursive: true }, (_, path) => {
      if (path !== null && name.test(path)) this.#next.resolve()
    })
    // A file that is gone before it is looked at is no matter.
    this.#watcher.on('error', () => {})
  }

  /** Resolves as the first one does. */
  next(): Promise<void> {
    return this.#next.promise
  }

  close(): void {
    this.#watcher.close()
  }
}
