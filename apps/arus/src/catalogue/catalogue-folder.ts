import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A catalogue's folder holds one folder per version, each written once and never changed, and a file `CURRENT` that names
 * the one to serve. A version is built in a working folder, renamed, and counts from the moment `CURRENT` is replaced. The
 * version before the current one is kept for readers that are just opening it.
 */
const CURRENT_FILE = 'CURRENT'
const ATTEMPTS_MAX = 100

/** The version to serve now, or null when nothing was ever finished. Cheap enough to ask every second. */
export function currentVersion(folder: string): string | null {
  try {
    const name = readFileSync(join(folder, CURRENT_FILE), 'utf8').trim()
    return name === '' ? null : name
  } catch {
    return null
  }
}

/**
 * Makes a finished build in `builtFolder` a version and the current one: durable, and seen by readers all at once or not at
 * all. Answers its name, which orders versions by time.
 */
export async function publishBuild(folder: string, builtFolder: string, nowMs: number): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const version = `v${nowMs}-${attempt}`
    try {
      await rename(builtFolder, join(folder, version))
      setCurrent(folder, version)
      return version
    } catch (error) {
      if (!isTaken(error) || attempt === ATTEMPTS_MAX) throw error
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')
}

function setCurrent(folder: string, version: string): void {
  const partial = join(folder, `${CURRENT_FILE}.${process.pid}.partial`)
  const descriptor = openSync(partial, 'w')
  try {
    writeSync(descriptor, version)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(partial, join(folder, CURRENT_FILE))
  const directory = openSync(folder, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Removes every version but those in `keep`. Processes that have one open go on reading it: its files live until closed. */
export async function removeVersionsExcept(folder: string, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^v\d+-\d+$/.test(name) || keep.has(name)) continue
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {})
  }
}
