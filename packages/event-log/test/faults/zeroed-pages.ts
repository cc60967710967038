import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbEventLog } from '../../src/index.ts'

/** What a log came to of which one page was zeroed, page by page. */
export interface ZeroedPagesReport {
  readonly pages: number
  /** The page held nothing that is read. */
  readonly harmless: number
  /** Told: an error, or an end of the process that read. */
  readonly detected: number
  /** Pages after whose loss something else was served as if it were right. */
  readonly wrong: readonly number[]
}

const PAGE_BYTES = 4_096
const META_PAGES = 2
const FILE = 'data.mdb'

/** Reads the log in ARUS_LOG and prints its values; prints nothing when it says that it is damaged. */
const READER = `
  import { LmdbEventLog } from ${JSON.stringify(join(import.meta.dirname, '../../src/index.ts'))}
  const log = new LmdbEventLog({ folder: process.env.ARUS_LOG })
  const values = []
  for (const { partition, endOffset } of (await log.topic('t')).partitions)
    for (let at = 0; at < endOffset; ) {
      const { entries, nextOffset } = await log.read('t', partition, at, 50)
      if (nextOffset === at) throw new Error('reading does not go on')
      values.push(...entries.map(({ value }) => Buffer.from(value).toString()))
      at = nextOffset
    }
  console.log(JSON.stringify(values))`

/** Zeroes pages one by one, up to so many spread over the file, and lets another process read. */
export async function zeroedPages(countMax: number): Promise<ZeroedPagesReport> {
  const root = mkdtempSync(join(tmpdir(), 'arus-zeroed-'))
  try {
    const whole = await closedLog(root)
    const right = valuesIn(root)
    const pages = Math.floor(whole.length / PAGE_BYTES) - META_PAGES
    const step = Math.max(1, Math.floor(pages / countMax))
    let harmless = 0
    let detected = 0
    const wrong: number[] = []
    for (let page = META_PAGES; page < META_PAGES + pages; page += step) {
      const bytes = Buffer.from(whole)
      bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
      writeFileSync(join(root, FILE), bytes)
      const found = valuesIn(root)
      if (found === null) detected += 1
      else if (found === right) harmless += 1
      else wrong.push(page)
    }
    return { pages: harmless + detected + wrong.length, harmless, detected, wrong }
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** Single appends and batches, so that blocks of one page and of many stand in the file. */
async function closedLog(folder: string): Promise<Buffer> {
  const log = new LmdbEventLog({ folder })
  await log.ensureTopic('t', { partitionCount: 2 })
  for (let round = 0; round < 12; round++) {
    const records = Array.from({ length: round % 3 === 0 ? 1 : 60 }, (_, i) => ({
      key: `k${i % 5}`,
      value: Buffer.from(`${round}-${i}-`.padEnd(100 + ((i * 37) % 400), 'x')),
      timestampMs: 1,
    }))
    await log.append('t', records)
  }
  await log.close()
  return readFileSync(join(folder, FILE))
}

function valuesIn(folder: string): string | null {
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', READER], {
    env: { ...process.env, ARUS_LOG: folder },
    encoding: 'utf8',
    timeout: 20_000,
  })
  return status === 0 ? stdout : null
}
