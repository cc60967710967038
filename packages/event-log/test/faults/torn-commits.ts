import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbEventLog } from '../../src/index.ts'

/** What the disks that a power cut could have left came to. */
export interface TornCommitsReport {
  readonly cuts: number
  /** Pages that the commit under way wrote, over all cuts, and how many of them were torn, zeroed or left out. */
  readonly pages: number
  readonly damaged: number
  /** What was acknowledged and is not there, or is there and never was. */
  readonly wrong: readonly string[]
}

const PAGE_BYTES = 4_096
const META_PAGES = 2
const FILE = 'data.mdb'

/**
 * LMDB writes the pages of a commit, syncs, then writes one of two meta pages. A cut in between leaves any of the new pages
 * whole, torn in the middle, zeroed or old, under the old meta page: the log must then hold exactly what was acknowledged
 * before, and take appends.
 */
export async function tornCommits(cuts: number, random: () => number): Promise<TornCommitsReport> {
  const folder = mkdtempSync(join(tmpdir(), 'arus-torn-'))
  const wrong: string[] = []
  let pages = 0
  let damaged = 0
  try {
    for (let cut = 0; cut < cuts; cut++) {
      const { before, after, acknowledged } = await imagesAround(join(folder, `whole-${cut}`), random)
      const image = cutImage(before, after, random)
      pages += image.pages
      damaged += image.damaged
      const place = join(folder, `cut-${cut}`)
      mkdirSync(place)
      writeFileSync(join(place, FILE), image.bytes)
      for (const line of await look(place, acknowledged)) wrong.push(`cut ${cut}: ${line}`)
      for (const name of [`whole-${cut}`, `cut-${cut}`]) rmSync(join(folder, name), { recursive: true })
    }
    return { cuts, pages, damaged, wrong }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The file before and after one commit, and the values that were acknowledged before it. */
async function imagesAround(folder: string, random: () => number) {
  const log = new LmdbEventLog({ folder })
  await log.ensureTopic('t', { partitionCount: 1 })
  const acknowledged: string[] = []
  const append = async (count: number): Promise<string[]> => {
    const values = Array.from({ length: count }, () =>
      `${acknowledged.length}-${random()}-`.padEnd(1 + Math.floor(random() * 3_000), 'x'),
    )
    await log.append(
      't',
      values.map((value) => ({ key: null, value: Buffer.from(value), timestampMs: 1 })),
    )
    return values
  }
  const commits = 1 + Math.floor(random() * 12)
  for (let i = 0; i < commits; i++) acknowledged.push(...(await append(1 + Math.floor(random() * 8))))
  const before = readFileSync(join(folder, FILE))
  await append(1 + Math.floor(random() * 60))
  const after = readFileSync(join(folder, FILE))
  await log.close()
  return { before, after, acknowledged }
}

/** The file as a cut before the meta page left it. */
function cutImage(before: Buffer, after: Buffer, random: () => number) {
  const bytes = Buffer.alloc(Math.max(before.length, after.length))
  before.copy(bytes)
  let pages = 0
  let damaged = 0
  for (let at = META_PAGES * PAGE_BYTES; at < after.length; at += PAGE_BYTES) {
    const fresh = after.subarray(at, at + PAGE_BYTES)
    if (fresh.equals(bytes.subarray(at, at + fresh.length))) continue
    pages += 1
    const chance = random()
    if (chance >= 0.4) damaged += 1
    if (chance < 0.4) fresh.copy(bytes, at)
    else if (chance < 0.6) fresh.copy(bytes, at, 0, 512 * Math.floor(random() * 8))
    else if (chance < 0.8) bytes.fill(0, at, at + fresh.length)
  }
  return { bytes, pages, damaged }
}

async function look(folder: string, acknowledged: readonly string[]): Promise<string[]> {
  const wrong: string[] = []
  const log = new LmdbEventLog({ folder })
  try {
    const values = async () =>
      (await log.read('t', 0, 0, 100_000)).entries.map(({ value }) => Buffer.from(value).toString())
    if (JSON.stringify(await values()) !== JSON.stringify(acknowledged))
      wrong.push('it does not hold what was acknowledged')
    await log.append('t', [{ key: null, value: Buffer.from('afterwards'), timestampMs: 1 }])
    if (JSON.stringify(await values()) !== JSON.stringify([...acknowledged, 'afterwards']))
      wrong.push('an append afterwards is not what it should be')
  } catch (error) {
    wrong.push(`it cannot be used: ${error}`)
  } finally {
    await log.close()
  }
  return wrong
}
