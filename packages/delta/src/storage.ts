/** A file as a listing shows it. */
export interface StoredFile {
  /** Path from the table's root, `/` between the parts. */
  readonly path: string
  readonly sizeBytes: number
  /** When the store last wrote the file, UTC ms, by the store's clock. Not an order: clocks jump, versions do not. */
  readonly modifiedMs: number
}

/**
 * Where a table lives. This page is the contract: `test/storage-contract.ts` holds every adapter to it.
 *
 * **Paths** go from the table's root, `/` between the parts, spelled as the files are named (not URI-encoded); the root
 * is `''`. A part may not be empty, `.` or `..`. Delta logs may also name files outside the table by absolute URI
 * (`file:///…`, `s3://…`): `read`, `localPath` and `ensureLocal` take those as the log spells them (URI-encoded) where
 * the adapter knows the scheme; everything else refuses them. A path that is refused throws `DELTA_PATH_UNSUPPORTED`.
 *
 * **Folders** need not be made: they are there as long as a file is in them.
 *
 * **Names that start with `.tmp-`** (`temporaryName`) belong to writers at work. They can be read, written and deleted
 * like others, but no listing shows them.
 *
 * **Order** of listings: by the UTF-8 bytes of the path, smallest first, as S3 orders its keys. (Comparing JavaScript
 * strings orders code points above U+FFFF differently.)
 *
 * **Concurrency**: every method may be called at any time, any number of times at once, from any number of processes on
 * any number of machines. What one call has acknowledged every later call sees, in whichever process: reads and listings
 * included. A listing that runs while files come and go has every file that was there all the time, and none twice.
 *
 * **Failures** are `DeltaError`s, `cause` kept:
 * - `DELTA_NOT_FOUND`: no file has that path (a folder is none).
 * - `DELTA_STORAGE_FULL`: there is no room. Nothing was changed; try again when there is.
 * - `DELTA_STORAGE_UNAVAILABLE`: the store does not answer, after the adapter's own retries. Nothing was changed; try
 *   again later.
 * - `DELTA_STORAGE_FAILED`: the store refused or broke (rights, read-only, I/O error). Nothing was changed.
 * - `DELTA_STORAGE_UNSUPPORTED`, of `putIfAbsent`: the store cannot keep its promise. Nothing was changed.
 * - `DELTA_OUTCOME_UNKNOWN`, of `putIfAbsent` and `put`: the change may have happened, or happen yet, wholly or not at
 *   all, and a change that can be read now may be gone after a power loss. The adapter has already tried to find out, so a
 *   caller that reads the file back learns what others see, but must not acknowledge it as durable.
 *
 * Where "nothing was changed" is said of a call that names several files, some may be done. A `delete` that failed may
 * have happened.
 */
export interface Storage {
  /** Where the table is, for messages: a folder, or `s3://bucket/prefix`. */
  readonly location: string

  /** The whole file, as one writer wrote it, in a buffer that belongs to the caller. Throws `DELTA_NOT_FOUND`. */
  read(path: string): Promise<Uint8Array>

  /**
   * Makes a file unless there is one, atomically: of any number of writers of one path exactly one gets `created`, all
   * others `exists`, and then the winner's file can be read. A reader sees the whole file or none. The file of a
   * `created` survives a power loss, and so do the folders it is in.
   *
   * `exists` leaves the other file as it is, and is never said of this very call's own file: an adapter that lost an
   * answer finds out whose file is there. After `DELTA_OUTCOME_UNKNOWN` this writer may be the one that won.
   */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'>

  /**
   * Makes a file or replaces it, atomically and durably as `putIfAbsent` does: a reader sees the old file or the new one.
   * Of writers at once the last wins.
   */
  put(path: string, bytes: Uint8Array): Promise<void>

  /**
   * The files directly in a folder whose name (not path) sorts after `startAfter`, in order. A folder that is not there
   * has none. Cost: about one stat per file locally, one request per 1,000 files on S3.
   */
  list(folder: string, startAfter?: string): Promise<StoredFile[]>

  /** The names of what `list` gives, in the same order, without the cost of sizes and times. */
  listNames(folder: string, startAfter?: string): Promise<string[]>

  /** Every file below the root, in order, those below `_delta_log` excepted. For vacuum. */
  listData(): Promise<StoredFile[]>

  /** Deletes a file; one that is not there is no error. Not durable: after a power loss it may be back. */
  delete(path: string): Promise<void>

  /**
   * A path on this machine's disk where the engine finds the file after `ensureLocal`, and to which it writes before
   * `publish`. The same path gives the same answer; nothing is touched, so neither the file nor the folders above it need
   * be there: whoever writes makes those.
   */
  localPath(path: string): string

  /**
   * Makes files readable at their `localPath`, for at least ten minutes from now: nothing to do locally, a download into
   * a bounded cache on S3, so the files must be ones that do not change. Throws `DELTA_NOT_FOUND` when one is not there.
   */
  ensureLocal(paths: readonly string[]): Promise<void>

  /**
   * Makes files that were written at their `localPath` part of the table and durable, their folders too, before a commit
   * names them. Their names must be new. Throws `DELTA_NOT_FOUND` for one that was not written. After any other error
   * write the files again, under other names: asking again for the same file must not succeed where the disk had failed.
   */
  publish(paths: readonly string[]): Promise<void>

  /**
   * Removes what writers of this machine that are gone left behind: files with a `temporaryName` in `_delta_log`, at
   * once when their process is dead, after an hour when that cannot be told. Never a file of the table, nor one of a
   * writer at work. Called when a table is opened, after its log was listed, and may make do with what that listing came
   * across; a failure to remove is no error.
   */
  removeStale(): Promise<void>
}
