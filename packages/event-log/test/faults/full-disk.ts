import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventLogError, LmdbEventLog } from '../../src/index.ts'

/** What appends to a log came to whose disk had room for so many pages more. */
export interface FullDiskCase {
  readonly freePages: number
  readonly acknowledgedWhileFull: number
  readonly failures: readonly string[]
  /** Acknowledged and not there, or there twice; looked at while the disk was full, after opening anew, and in the end. */
  readonly wrong: readonly string[]
  /** An append was acknowledged again once there was room. */
  readonly goesOn: boolean
}

const PAGE_BYTES = 4_096
const DISK_BYTES = 4 * 1024 * 1024
const APPENDS_BEFORE = 20
const APPENDS_FULL = 12

/** Why a small disk cannot be made here; null when it can. */
export function whyNoSmallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'arus-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'pipe' })
    execFileSync('umount', [folder], { stdio: 'pipe' })
    return null
  } catch (error) {
    return `mount says: ${error instanceof Error ? error.message.split('\n').at(-2) : error}`
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Fills the disk below a log but for so many pages, appends, opens anew, makes room, appends again. */
export async function fillDisk(freePages: number): Promise<FullDiskCase> {
  const root = mkdtempSync(join(tmpdir(), 'arus-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', root])
  let log = new LmdbEventLog({ folder: join(root, 'log') })
  const acknowledged: number[] = []
  const failures: string[] = []
  const wrong: string[] = []
  let next = 0
  const append = async (): Promise<boolean> => {
    const number = next++
    const value = Buffer.alloc(3_000 + (number % 3) * 4_000, number % 256)
    value.writeUInt32BE(number, 0)
    try {
      await log.append('t', [{ key: null, value, timestampMs: number }])
      acknowledged.push(number)
      return true
    } catch (error) {
      failures.push(error instanceof EventLogError ? error.code : String(error))
      return false
    }
  }
  const look = async (when: string): Promise<void> => {
    const { entries } = await log.read('t', 0, 0, 100_000)
    const found = entries.map(({ value }) => Buffer.from(value).readUInt32BE(0))
    const isWhole = entries.every(({ value }) => value.every((byte, i) => i < 4 || byte === value[4]))
    for (const number of acknowledged) if (!found.includes(number)) wrong.push(`${when}: ${number} is lost`)
    if (new Set(found).size !== found.length) wrong.push(`${when}: doubled`)
    if (!isWhole) wrong.push(`${when}: torn`)
  }
  try {
    await log.ensureTopic('t', { partitionCount: 1 })
    for (let i = 0; i < APPENDS_BEFORE; i++) await append()
    const before = acknowledged.length
    const ballast = join(root, 'ballast')
    mkdirSync(ballast)
    const { bavail, bsize } = statfsSync(root)
    writeFileSync(join(ballast, 'bytes'), new Uint8Array(bavail * bsize - freePages * PAGE_BYTES))
    for (let i = 0; i < APPENDS_FULL; i++) await append()
    const acknowledgedWhileFull = acknowledged.length - before
    await look('full')
    await log.close()
    log = new LmdbEventLog({ folder: join(root, 'log') })
    await look('full, opened anew')
    rmSync(ballast, { recursive: true })
    const goesOn = await append()
    await look('room again')
    return { freePages, acknowledgedWhileFull, failures, wrong, goesOn }
  } finally {
    await log.close()
    execFileSync('umount', [root])
    rmSync(root, { recursive: true })
  }
}
