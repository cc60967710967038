import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateCatalogueFiles } from '../../../src/catalogue/generate.ts'
import { freePort } from '../../end-to-end/running-arus.ts'
import { LANES, runLane } from './lanes.ts'
import { Ledger } from './ledger.ts'
import { OutsideView } from './outside-view.ts'
import { ServerProcess } from './server-process.ts'

/** A server whose disk filled up under load, and had room again. */
export interface FullDiskReport {
  readonly acknowledgedBefore: number
  readonly acknowledgedWhileFull: number
  /** Requests that were answered 503 while the disk was full. */
  readonly refused: number
  readonly acknowledgedAfterwards: number
  readonly wrong: readonly string[]
}

const DISK_MB = 400
const FREE_BYTES = 300_000
const LOAD_MS = 1_500
const FULL_MS = 6_000

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

/**
 * Fills the disk of a server under load but for some pages: it must go on answering, say 503 where it cannot take more, and
 * hold all that it acknowledged once there is room, without being started again.
 */
export async function fullDiskUnderServer(): Promise<FullDiskReport> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', folder])
  let server: ServerProcess | null = null
  try {
    const files = await generateCatalogueFiles({
      folder: join(folder, 'shop'),
      productCount: 300,
      seed: 1,
    })
    const place = {
      dataDir: join(folder, 'data'),
      apiPort: await freePort(),
      dashboardPort: 0,
      settings: { ARUS_LAKE_INTERVAL_MS: '500', ARUS_SQL_PROCESSES: '1', ARUS_LOG_LEVEL: 'silent' },
    }
    server = await ServerProcess.start(place, [
      '--products',
      files.productsFile,
      '--categories',
      files.categoriesFile,
    ])
    return await underLoad(server, folder, place.dataDir)
  } finally {
    await server?.kill('group')
    await server?.isAllGone(10_000)
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  }
}

async function underLoad(server: ServerProcess, folder: string, dataDir: string): Promise<FullDiskReport> {
  const ledger = new Ledger()
  const view = new OutsideView(dataDir)
  const wrong: string[] = []
  const abort = new AbortController()
  const options = {
    apiUrl: server.apiUrl,
    ledger,
    products: ['P1', 'P2', 'P3'],
    random: () => 1,
    signal: abort.signal,
  }
  // A lane ends at a request that is refused, and is begun again.
  const load = LANES.map(async (lane) => {
    while (!abort.signal.aborted) {
      await runLane(lane, options)
      await sleep(50)
    }
  })
  await sleep(LOAD_MS)
  const acknowledgedBefore = ledger.acknowledged.size
  const ballast = join(folder, 'ballast')
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(ballast, new Uint8Array(bavail * bsize - FREE_BYTES))
  await sleep(FULL_MS)
  const acknowledgedFull = ledger.acknowledged.size
  const { refused } = ledger
  if (server.hasEnded) wrong.push(`the server ended:\n${server.output}`)
  else if (!(await fetch(`${server.apiUrl}/analytics`)).ok) wrong.push('live figures could not be read')
  rmSync(ballast)
  await sleep(FULL_MS)
  const acknowledgedAfterwards = ledger.acknowledged.size - acknowledgedFull
  abort.abort()
  await Promise.all(load)
  if (!server.hasEnded) {
    await view.readLog(ledger)
    await settled(server.apiUrl, view.eventCount)
    await view.checkLive(server.apiUrl, () => 0)
    await view.checkLakeWhole(server.apiUrl)
  }
  return {
    acknowledgedBefore,
    acknowledgedWhileFull: acknowledgedFull - acknowledgedBefore,
    refused,
    acknowledgedAfterwards,
    wrong: [...wrong, ...ledger.wrong, ...view.wrong],
  }
}

/** Waits until live state has caught up; it tries again with growing pauses. */
async function settled(apiUrl: string, count: number): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(200)) {
    const { events_total } = (await (await fetch(`${apiUrl}/analytics`)).json()) as { events_total: number }
    if (events_total >= count) return
  }
}
