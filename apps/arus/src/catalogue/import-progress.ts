import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lake } from '../lake/lake.ts'
import type { TableName } from '../lake/table-names.ts'
import type { FileMark } from './import-marker.ts'
import type { ImportReport } from './import-report.ts'
import type { StagedCsv } from './staged-csv.ts'

/** What tells the files of one import from those of another. */
export interface ImportMarks {
  readonly products: FileMark
  readonly categories: FileMark | null
}

/** What a reading of the products file found, without the place where a copy lay. */
export type ReadFacts = Pick<StagedCsv, 'recordCount' | 'broken' | 'doubtfulLines'>

/** The report, but for what is only known once the catalogue is built. */
export type RefinedFacts = Omit<ImportReport, 'categories' | 'catalogue_version' | 'took_ms'>

/** The steps of an import that are committed, and what the later ones need of them. */
export type DoneSteps =
  | { readonly step: 'bronze'; readonly version: number; readonly read: ReadFacts }
  | { readonly step: 'silver'; readonly refined: RefinedFacts }

interface ProgressFile {
  readonly marks: ImportMarks
  /** Data files of each table as they were committed: names that no other commit has. */
  readonly tables: Readonly<Partial<Record<TableName, readonly string[]>>>
  readonly done: DoneSteps
}

const PROGRESS_FILE = 'arus-import-progress.json'
const TABLES_OF_STEP: Readonly<Record<DoneSteps['step'], readonly TableName[]>> = {
  bronze: ['bronze.products'],
  silver: ['bronze.products', 'bronze.categories', 'bronze.rejected_products', 'silver.products'],
}
/** A file with more broken lines is read again rather than that they are kept. */
const BROKEN_KEPT_MAX = 10_000

/**
 * Remembers, durably, how far an import of these files came. Written after the commit it speaks of: a crash in between
 * costs that step, which replaces the whole table and so may be done twice.
 */
export async function saveProgress(
  folder: string,
  lake: Lake,
  { marks, done }: { readonly marks: ImportMarks; readonly done: DoneSteps },
): Promise<void> {
  if (done.step === 'bronze' && done.read.broken.length > BROKEN_KEPT_MAX) return
  const progress: ProgressFile = { marks, tables: await filesOf(lake, TABLES_OF_STEP[done.step]), done }
  const partial = join(folder, `${PROGRESS_FILE}.partial`)
  await mkdir(folder, { recursive: true })
  await writeFile(partial, JSON.stringify(progress), { flush: true })
  await rename(partial, join(folder, PROGRESS_FILE))
}

/**
 * What an interrupted import of these very files had done, or null. Only where each table it wrote still consists of the
 * files that it committed: whatever else wrote to them since, the import starts over.
 */
export async function savedProgress(
  folder: string,
  lake: Lake,
  marks: ImportMarks,
): Promise<DoneSteps | null> {
  const progress = await readProgress(folder)
  if (progress === null || !isSame(progress.marks, marks)) return null
  const now = await filesOf(lake, TABLES_OF_STEP[progress.done.step])
  return isSame(progress.tables, now) ? progress.done : null
}

/** Forgets how far an import came: it is finished, or another begins. */
export async function removeProgress(folder: string): Promise<void> {
  await rm(join(folder, PROGRESS_FILE), { force: true })
}

async function readProgress(folder: string): Promise<ProgressFile | null> {
  try {
    return JSON.parse(await readFile(join(folder, PROGRESS_FILE), 'utf8'))
  } catch {
    return null
  }
}

async function filesOf(lake: Lake, tables: readonly TableName[]): Promise<ProgressFile['tables']> {
  const entries = tables.map(async (name) => {
    const snapshot = await (await lake.table(name)).snapshot()
    return [name, [...snapshot.files.keys()].sort()] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}
