import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

const INTERVAL_MS = 250
const SQLITE_BUSY = 5

/**
 * Waits until no other process holds `file`, then holds it. An exclusive SQLite transaction: the lock is the operating
 * system's, so it is gone with the process, however that ends. `onWait` is called once if there is a wait.
 */
export async function lockInstallation(
  file: string,
  options: { readonly signal: AbortSignal; readonly onWait: () => void },
): Promise<Disposable> {
  const lock = new DatabaseSync(file, { timeout: 0 })
  let hasWaited = false
  while (!begin(lock)) {
    if (!hasWaited) options.onWait()
    hasWaited = true
    await sleep(INTERVAL_MS, undefined, { signal: options.signal }).catch((error: unknown) => {
      lock.close()
      throw error
    })
  }
  return {
    [Symbol.dispose]() {
      lock.exec('ROLLBACK')
      lock.close()
    },
  }
}

function begin(lock: DatabaseSync): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if ((error as { readonly errcode?: number }).errcode === SQLITE_BUSY) return false
    lock.close()
    throw error
  }
}
