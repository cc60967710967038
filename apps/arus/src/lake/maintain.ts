import type { AddFile } from '@arus/delta'
import type { Lake } from './lake.ts'
import { forgetOldResults } from './quality-results.ts'
import type { TableName } from './table-names.ts'
import { definitionOf } from './tables/index.ts'

const HOUR_MS = 3_600_000
/** Log entries are kept at least this long. */
const LOG_HISTORY_MS = 24 * HOUR_MS
/** A file below this is small. */
const SMALL_BYTES_MAX = 16 * 1024 * 1024
/** A partition with more small files than this has them put together. */
const SMALL_FILES_MAX = 32
/** Put together at once, so that it takes seconds and fits into memory. */
const INPUT_BYTES_MAX = 256 * 1024 * 1024
/** Of one table in one round, the most crowded first. */
const PARTITIONS_MAX = 16

export interface MaintainOptions {
  /** Older versions of the tables can be read this long. */
  readonly historyMs: number
  readonly now?: () => number
}

/** What maintenance did. */
export interface MaintenanceResult {
  /** Partitions (or whole tables) whose small files were put together. */
  readonly compacted: number
  readonly removedFiles: number
}

/**
 * Keeps the lake tidy: puts small files together, sorted as the table's definition says, and removes data files and log entries that only versions
 * past their history need. Nobody waits: what is appended meanwhile stays, and files that another writer replaced first are left for the next time.
 */
export async function maintain(
  lake: Lake,
  { historyMs, now = Date.now }: MaintainOptions,
): Promise<MaintenanceResult> {
  let compacted = 0
  let removedFiles = 0
  await forgetOldResults(lake, now())
  for (const { name } of await lake.describe()) {
    compacted += await compact(lake, name)
    const table = await lake.table(name)
    // Forced: the lake may keep less than Delta's default week, and none of its readers holds a version for hours.
    removedFiles += (await table.vacuum({ retentionMs: historyMs, isForced: true })).length
    await table.removeOldLog({ retentionMs: Math.max(historyMs, LOG_HISTORY_MS) })
  }
  return { compacted, removedFiles }
}

/** Puts a table's small files together; returns in how many partitions. */
export async function compact(lake: Lake, name: TableName, smallFilesMax = SMALL_FILES_MAX): Promise<number> {
  const { files } = await (await lake.table(name)).snapshot()
  const { clusterColumns } = definitionOf(name)
  const order = clusterColumns.length === 0 ? '' : ` ORDER BY ${clusterColumns.join(', ')}`
  let compacted = 0
  for (const group of crowdedPartitions(files, smallFilesMax)) {
    const rows = await lake.relationOfFiles(name, group)
    const { kind } = await lake.write(name, `SELECT * FROM ${rows}${order}`, {
      mode: 'overwrite',
      files: group,
      operation: 'OPTIMIZE',
    })
    compacted += kind === 'committed' ? 1 : 0
  }
  return compacted
}

/** Small files by partition, where they are too many; as many of each as are put together at once. */
function crowdedPartitions(files: ReadonlyMap<string, AddFile>, smallFilesMax: number): AddFile[][] {
  const groups = new Map<string, AddFile[]>()
  for (const file of files.values()) {
    if (file.size >= SMALL_BYTES_MAX) continue
    const key = JSON.stringify(file.partitionValues)
    groups.set(key, [...(groups.get(key) ?? []), file])
  }
  return [...groups.values()]
    .filter((group) => group.length > smallFilesMax)
    .sort((a, b) => b.length - a.length)
    .slice(0, PARTITIONS_MAX)
    .map(withinBytes)
}

/** The smallest files first, up to the bound. */
function withinBytes(files: readonly AddFile[]): AddFile[] {
  let size = 0
  return [...files]
    .sort((a, b) => a.size - b.size)
    .filter((file) => {
      size += file.size
      return size <= INPUT_BYTES_MAX
    })
}
