import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { ArusError } from '../errors.ts'

/**
 * Makes sure that one server at a time runs on a data folder, by an exclusive SQLite transaction on `file`: the lock is
 * the operating system's, so it is gone with the process, however that ends. Throws `ALREADY_RUNNING`. Returns the release,
 * which must be kept: without it the lock is let go when the garbage collector runs.
 */
export function lockServer(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true })
  const lock = new Sqlite(file, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new ArusError(
        'ALREADY_RUNNING',
        'Arus already runs on this data folder. Stop it first, or set ARUS_DATA_DIR and the ports to start another.',
      )
    }
    throw error
  }
  return () => {
    lock.exec('ROLLBACK')
    lock.close()
  }
}

const RETRY_MS = 50

/** The same lock on any file, waited for; rejects when the signal aborts. */
export async function lockWhenFree(file: string, signal?: AbortSignal): Promise<() => void> {
  for (;;) {
    signal?.throwIfAborted()
    const release = lockIfFree(file)
    if (release !== null) return release
    await setTimeout(RETRY_MS)
  }
}

/** The same lock; null where another process holds it. */
export function lockIfFree(file: string): (() => void) | null {
  try {
    return lockServer(file)
  } catch (error) {
    if (error instanceof ArusError && error.code === 'ALREADY_RUNNING') return null
    throw error
  }
}
