import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type Database, open, type RootDatabase } from 'lmdb'

/** The tables of a state store in LMDB. */
export interface LmdbTables {
  readonly root: RootDatabase<unknown, string>
  /** Packed: a value with the moment it may go. */
  readonly values: Database<Buffer, string>
  /** Keys written with the same expiry in one commit; by that time, then writer and its count of such lists. */
  readonly expiries: Database<readonly string[], [number, string, number]>
}

/** The name changes with the form of values. */
const VALUES = 'values-2'
const EARLIER_VALUES = ['values']

/** Copied in one step, which holds up everything else: some milliseconds. A list has up to 1,000 keys. */
const VALUES_STEP = 500
const LISTS_STEP = 5

/** Opens (or makes) the tables in a folder; a swap that was cut short is finished first. */
export function openTables(folder: string): LmdbTables {
  if (!existsSync(folder) && existsSync(nextTo(folder))) renameSync(nextTo(folder), folder)
  return tablesIn(folder)
}

/**
 * Copies all that `isKept` into new files beside the folder, value by value: pages of a B-tree hold remains of what stood
 * in them, and keys that are gone as separators, so a copy of pages would not do. Nothing may be written meanwhile.
 * Returns how many values were left out.
 */
export async function copyTables(
  { values, expiries }: LmdbTables,
  folder: string,
  isKept: (key: string) => boolean,
): Promise<number> {
  // What an earlier try left.
  for (const left of [previousTo(folder), nextTo(folder)]) rmSync(left, { recursive: true, force: true })
  // Synced as a whole at the end.
  const next = tablesIn(nextTo(folder), { noSync: true })
  let leftOut = 0
  try {
    leftOut = await inSteps(next, { from: values, step: VALUES_STEP }, (key, value) => {
      if (!isKept(key)) return 'left out'
      void next.values.put(key, value)
      return 'copied'
    })
    await inSteps(next, { from: expiries, step: LISTS_STEP }, (key, names) => {
      const kept = names.filter(isKept)
      if (kept.length === 0) return 'left out'
      void next.expiries.put(key, kept)
      return 'copied'
    })
  } finally {
    await next.root.close()
  }
  await syncPath(join(nextTo(folder), 'data.mdb'))
  await syncPath(nextTo(folder))
  return leftOut
}

/** Puts the copy in place of the tables, which must be closed, and removes those. */
export async function swapTables(folder: string): Promise<void> {
  renameSync(folder, previousTo(folder))
  renameSync(nextTo(folder), folder)
  await syncPath(dirname(folder))
  rmSync(previousTo(folder), { recursive: true, force: true })
  await syncPath(dirname(folder))
}

function tablesIn(folder: string, options: { readonly noSync?: boolean } = {}): LmdbTables {
  mkdirSync(folder, { recursive: true })
  const root = open<unknown, string>({
    path: folder,
    maxDbs: 4,
    overlappingSync: false,
    eventTurnBatching: false,
    ...options,
  })
  dropEarlierForm(root)
  return {
    root,
    values: root.openDB({ name: VALUES, encoding: 'binary' }),
    expiries: root.openDB({ name: 'expiry-lists' }),
  }
}

/** What an earlier version stored is made again from the log. */
function dropEarlierForm(root: LmdbTables['root']): void {
  const names = [...root.getKeys()].filter((name) => EARLIER_VALUES.includes(name))
  for (const name of names) root.openDB({ name, encoding: 'binary' }).dropSync()
}

/** Calls back for every entry, each step in a transaction of `next`; returns how many were `left out`. */
async function inSteps<K extends string | [number, string, number], V>(
  next: LmdbTables,
  { from, step: limit }: { readonly from: Database<V, K>; readonly step: number },
  each: (key: K, value: V) => 'left out' | 'copied',
): Promise<number> {
  let leftOut = 0
  for (let last: K | undefined, isMore = true; isMore; ) {
    const after = last === undefined ? {} : { start: last, exclusiveStart: true }
    const step = [...from.getRange({ ...after, limit })]
    await next.root.batch(() => {
      for (const { key, value } of step) if (each(key, value) === 'left out') leftOut += 1
    })
    last = step.at(-1)?.key
    isMore = step.length === limit
    await setImmediate()
  }
  return leftOut
}

// No dots: LMDB takes what has one for a file.
function nextTo(folder: string): string {
  return `${folder}-next`
}

function previousTo(folder: string): string {
  return `${folder}-previous`
}

/** A file or a folder. Windows cannot open folders, and keeps their entries in its journal. */
async function syncPath(path: string): Promise<void> {
  if (process.platform === 'win32' && !path.endsWith('.mdb')) return
  const handle = await openFile(path, process.platform === 'win32' ? 'r+' : 'r')
  await handle.sync().finally(() => handle.close())
}
