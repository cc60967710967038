/** A file as a listing shows it. */
export interface StoredFile {
  /** Path from the table's root, `/` between the parts. */
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/**
 * Where a table lives. Paths are relative to the table's root.
 *
 * - `putIfAbsent` is atomic: of any number of writers of one path exactly one gets `created`; a reader sees the whole
 *   file or none; when it resolves the file would survive a power loss. An error leaves it unknown whether the file is
 *   there.
 * - `put` replaces a file as a whole.
 * - `list` gives the files directly in a folder whose name sorts after `startAfter`, in order of their bytes.
 */
export interface Storage {
  /** Throws `DELTA_NOT_FOUND`. */
  read(path: string): Promise<Uint8Array>
  putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'>
  put(path: string, bytes: Uint8Array): Promise<void>
  list(folder: string, startAfter?: string): Promise<StoredFile[]>
  /** Every file below the root, the log's excepted. For vacuum. */
  listData(): Promise<StoredFile[]>
  /** A file that is not there is no error. */
  delete(path: string): Promise<void>
  /** A path on this machine's disk from which an engine reads the file, or to which it writes before `publish`. */
  localPath(path: string): string
  /** Makes files an engine wrote at their `localPath` durable, before a commit names them. */
  publish(paths: readonly string[]): Promise<void>
}
