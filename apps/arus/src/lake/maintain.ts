import type { AddFile } from '@arus/delta'
import type { Lake } from './lake.ts'
import type { TableName } from './table-names.ts'
import { definitionOf } from './tables/index.ts'

/** Older versions of a table can be read this long. */
const HISTORY_MS = 6 * 3_600_000
const LOG_HISTORY_MS = 24 * 3_600_000
/** A partition with more files than this is written anew as one. */
const FILES_MAX = 32

/** What maintenance did. */
export interface MaintenanceResult {
  /** Partitions (or whole tables) whose small files were put together. */
  readonly compacted: number
  readonly removedFiles: number
}

/**
 * Keeps the lake tidy: puts the small files of bronze together, removes data files and log entries that only versions past
 * their history need. A table that is written to meanwhile is left for the next time.
 */
export async function maintain(lake: Lake): Promise<MaintenanceResult> {
  let compacted = 0
  let removedFiles = 0
  for (const { name } of await lake.describe()) {
    if (name.startsWith('bronze.')) compacted += await compact(lake, name)
    const table = await lake.table(name)
    // Forced: the lake keeps less than Delta's default week, and none of its readers holds a version for hours.
    removedFiles += (await table.vacuum({ retentionMs: HISTORY_MS, isForced: true })).length
    await table.removeOldLog({ retentionMs: LOG_HISTORY_MS })
  }
  return { compacted, removedFiles }
}

async function compact(lake: Lake, name: TableName): Promise<number> {
  const [partition] = definitionOf(name).partitionColumns
  const crowded = crowdedPartitions((await (await lake.table(name)).snapshot()).files, partition)
  let compacted = 0
  for (const value of crowded) {
    const { sql, version } = await lake.relation(name)
    const condition = partition === undefined || value === null ? 'true' : `${partition} = '${value}'`
    const { kind } = await lake.write(name, `SELECT * FROM ${sql} WHERE ${condition}`, {
      mode: 'overwrite',
      ...(partition === undefined || value === null ? {} : { partitions: [{ [partition]: value }] }),
      readVersion: version,
    })
    compacted += kind === 'committed' ? 1 : 0
  }
  return compacted
}

/** Values of the partition column with too many files; a lone null stands for a table without partitions. */
function crowdedPartitions(
  files: ReadonlyMap<string, AddFile>,
  partition: string | undefined,
): (string | null)[] {
  if (partition === undefined) return files.size > FILES_MAX ? [null] : []
  const counts = new Map<string, number>()
  for (const { partitionValues } of files.values()) {
    const value = partitionValues[partition]
    if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return [...counts].filter(([, count]) => count > FILES_MAX).map(([value]) => value)
}
