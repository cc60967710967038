import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDbParquetEngine } from '../../src/duckdb/index.ts'
import { column, DeltaTable, LocalStorage } from '../../src/index.ts'
import { type AppendRecord, appendOne, judge, type Verdict, writeParquet } from './append-loop.ts'

/** What is exhausted: room for data, in pages of 4 KiB, or for names (inodes; a hard link takes one too). */
export type Resource = 'pages' | 'names'

/** What appends to a disk with so much room left came to. */
export interface FullDiskCase {
  readonly resource: Resource
  readonly free: number
  /** While the disk was full. */
  readonly outcomes: readonly AppendRecord['outcome'][]
  /** What the appends that failed said. */
  readonly codes: readonly (string | undefined)[]
  /** After there was room again. */
  readonly afterwards: AppendRecord['outcome']
  readonly verdict: Verdict
  readonly readableFiles: number
  readonly temporaryFiles: readonly string[]
}

const PAGE_BYTES = 4_096
const DISK_BYTES = 1_048_576
const DISK_NAMES = 200
const APPENDS = 3

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
 * Appends Parquet to a table whose disk has room for `free` pages or names more, so that each step of an append is in
 * turn the one that finds none; the ninth commit and a checkpoint are due in between.
 */
export async function fillDisk(resource: Resource, free: number): Promise<FullDiskCase> {
  const root = mkdtempSync(join(tmpdir(), 'arus-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},nr_inodes=${DISK_NAMES}`, 'tmpfs', root])
  const engine = await DuckDbParquetEngine.open()
  try {
    const storage = new LocalStorage(join(root, 'table'))
    const schema = { type: 'struct', fields: [column('n', 'long')] } as const
    const table = await DeltaTable.create({ storage, engine }, { schema })
    const append = (id: string) => appendOne(table, id, writeParquet)
    const records: AppendRecord[] = []
    for (let i = 0; i < 8; i++) records.push(await append(`room-${i}`))
    leaveFree(root, resource, free)
    const full: AppendRecord[] = []
    for (let i = 0; i < APPENDS; i++) full.push(await append(`full-${i}`))
    const readableFiles = await countReadable(storage, engine)
    rmSync(join(root, 'ballast'), { recursive: true })
    const afterwards = await append('afterwards')
    return {
      resource,
      free,
      outcomes: full.map((record) => record.outcome),
      codes: full.filter((record) => record.outcome === 'failed').map((record) => record.code),
      afterwards: afterwards.outcome,
      verdict: await judge(storage, [...records, ...full, afterwards]),
      readableFiles,
      temporaryFiles: readdirSync(storage.localPath('_delta_log')).filter((name) => name.includes('tmp')),
    }
  } finally {
    execFileSync('umount', [root])
    rmSync(root, { recursive: true })
  }
}

function leaveFree(root: string, resource: Resource, free: number): void {
  const ballast = join(root, 'ballast')
  execFileSync('mkdir', [ballast])
  if (resource === 'names') {
    for (let i = statfsSync(root).ffree - free; i > 0; i--) writeFileSync(join(ballast, String(i)), '')
    return
  }
  const { bavail, bsize } = statfsSync(root)
  writeFileSync(join(ballast, 'bytes'), new Uint8Array(bavail * bsize - free * PAGE_BYTES))
}

/** How many files of the newest version, opened anew, are there and are Parquet from head to tail. */
async function countReadable(storage: LocalStorage, engine: DuckDbParquetEngine): Promise<number> {
  const { files } = await (await DeltaTable.open({ storage, engine })).snapshot()
  return [...files.values()].filter(({ path, size }) => {
    const bytes = readFileSync(storage.localPath(path))
    return bytes.length === size && bytes.subarray(-4).toString() === 'PAR1'
  }).length
}
