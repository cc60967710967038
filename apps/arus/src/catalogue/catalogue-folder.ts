import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A catalogue's folder holds one folder per version, each written once and never changed, and a file `CURRENT` that names
 * the one to serve. A version counts from the moment `CURRENT` is replaced, by rename; what was built and never named is
 * rubbish that the next import removes. The version before the current one is kept for readers that are just opening it.
 */
export const CURRENT_FILE = 'CURRENT'
const VERSION_PREFIX = 'v'

/** The version to serve now, or null when nothing was ever finished. Cheap enough to ask every second. */
export function currentVersion(folder: string): string | null {
  try {
    const name = readFileSync(join(folder, CURRENT_FILE), 'utf8').trim()
    return name === '' ? null : name
  } catch {
    return null
  }
}

/** Makes an empty folder for a version to be built; its name orders versions by time. */
export async function newVersionFolder(
  folder: string,
  nowMs: number,
): Promise<{ version: string; path: string }> {
  for (let attempt = 0; ; attempt++) {
    const version = `${VERSION_PREFIX}${nowMs}-${attempt}`
    const path = join(folder, version)
    const made = await mkdir(path, { recursive: true })
    if (made !== undefined) return { version, path }
  }
}

/** Makes a finished version the current one: durable, and seen by readers all at once or not at all. */
export function publishVersion(folder: string, version: string): void {
  const partial = join(folder, `${CURRENT_FILE}.partial`)
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
