import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** DuckDB puts `tmp_` before the name of a file it is writing. */
const TEMPORARY = /^(?:tmp_)?\.tmp-/
const NAMED_BY_US = /^(?:tmp_)?\.tmp-([0-9a-f]{8})-([0-9a-f]{8})-(\d+)-(\d+)-/

/** A temporary file this old belongs to no running writer, whoever made it. */
export const STALE_MS = 3_600_000

/** Whether a process that made a temporary file still runs; `unknown` for those of other machines and programs. */
export type WriterState = 'running' | 'gone' | 'unknown'

/**
 * A new name for a file that this process is writing. It says which process that is (machine and pid namespace, boot,
 * pid, start time), so that `removeStale` of another process can tell at once whether its writer is gone. Files whose
 * names begin with it are told apart the same way, so a suffix may be added to it.
 */
export function temporaryName(suffix = ''): string {
  return `.tmp-${MACHINE}-${BOOT}-${process.pid}-${START}-${randomUUID()}${suffix}`
}

/** True for the names that no listing shows. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name)
}

/** What became of the writer of a temporary file, by its name. */
export function writerStateOf(name: string): WriterState {
  const [, machine, boot, pid, start] = NAMED_BY_US.exec(name) ?? []
  if (machine !== MACHINE) return 'unknown'
  if (boot !== BOOT) return 'gone'
  return isRunning(Number(pid), start ?? '') ? 'running' : 'gone'
}

/**
 * Removes temporary files and folders in a folder whose writers are gone: see `Storage.removeStale`. `names` are those of
 * the folder, where they are known.
 */
export async function removeStaleFiles(
  folder: string,
  nowMs: number,
  names: readonly string[] | null = null,
): Promise<void> {
  for (const name of names ?? (await readdir(folder).catch(() => []))) {
    if (!isTemporary(name)) continue
    const path = join(folder, name)
    if (await isStale(path, name, nowMs)) await removeQuietly(path)
  }
}

/** Removes a temporary file or folder. One that cannot be removed changes nothing for anyone; the next open tries again. */
export async function removeQuietly(path: string): Promise<void> {
  await rm(path, { force: true, recursive: true }).catch(() => {})
}

async function isStale(path: string, name: string, nowMs: number): Promise<boolean> {
  const state = writerStateOf(name)
  if (state !== 'unknown') return state === 'gone'
  const facts = await stat(path).catch(() => null)
  return facts !== null && nowMs - facts.mtimeMs > STALE_MS
}

function isRunning(pid: number, start: string): boolean {
  if (start !== NO_START) return startOf(pid) === start
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/**
 * When a process started, in clock ticks since boot (field 22 of `/proc/PID/stat`; its name, the second field, may hold
 * anything). A pid that was given to another process has another. Null when there is none or it only waits to be reaped.
 */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

/** Where there is no `/proc`, a pid alone has to do: at worst a file waits until its pid is free. */
const NO_START = '0'
const START = startOf(process.pid) ?? NO_START
const MACHINE = digest(`${hostname()} ${orEmpty(() => readlinkSync('/proc/self/ns/pid'))}`)
const BOOT = digest(orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')))

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

function orEmpty(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
