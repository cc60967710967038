import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Snapshot } from '../../src/index.ts'

/** True when a data file the snapshot names is not below `root`. */
export function lacksFiles(snapshot: Snapshot, root: string): boolean {
  return [...snapshot.files.values()].some((file) => !existsSync(join(root, decodeURIComponent(file.path))))
}

/** The number of rows by the statistics in the log; null when a file has none. */
export function rowCountByLog(snapshot: Snapshot): number | null {
  let total = 0
  for (const { stats, deletionVector } of snapshot.files.values()) {
    const rowCount = (JSON.parse(stats ?? '{}') as { readonly numRecords?: unknown }).numRecords
    if (typeof rowCount !== 'number') return null
    const deleted = (deletionVector as { readonly cardinality?: unknown } | null | undefined)?.cardinality
    total += rowCount - (typeof deleted === 'number' ? deleted : 0)
  }
  return total
}
