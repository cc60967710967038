import { deletionVectorPath } from './deletion-vector.ts'
import { DeltaError } from './errors.ts'
import { canonicalPath } from './log-paths.ts'
import type { Snapshot } from './snapshot.ts'
import type { Storage, StoredFile } from './storage.ts'
import { assertWritable } from './table-features.ts'
import { intervalMs } from './table-properties.ts'

export interface VacuumOptions {
  /** Files that versions younger than this need stay; default what the table says, else a week. */
  readonly retentionMs?: number
  /** Allows less than the table's own retention, which breaks readers and writers at work on old versions. */
  readonly isForced?: boolean
  /** Removes nothing. */
  readonly isDryRun?: boolean
}

const RETENTION = 'interval 1 week'

/**
 * Files below the root that no version younger than the retention needs: removed longer ago, or never part of a version
 * and older than it. Hidden files and folders (`_…`, `.…`) are left alone but for `_change_data`. Throws
 * `DELTA_RETENTION_TOO_SHORT`.
 */
export async function unneededFiles(
  storage: Storage,
  snapshot: Snapshot,
  { nowMs, options }: { readonly nowMs: number; readonly options: VacuumOptions },
): Promise<StoredFile[]> {
  assertWritable(snapshot)
  const beforeMs = nowMs - retentionOf(snapshot, options)
  const needed = new Set<string>()
  for (const file of snapshot.files.values()) addPaths(file, storage.location, needed)
  for (const file of snapshot.tombstones.values()) {
    if ((file.deletionTimestamp ?? 0) >= beforeMs) addPaths(file, storage.location, needed)
  }
  return (await storage.listData()).filter(
    (file) => file.modifiedMs < beforeMs && !needed.has(file.path) && !isHidden(file.path),
  )
}

function retentionOf(snapshot: Snapshot, { retentionMs, isForced = false }: VacuumOptions): number {
  const own = intervalMs(snapshot.metadata.configuration['delta.deletedFileRetentionDuration'] ?? RETENTION)
  if (retentionMs === undefined || retentionMs >= own || isForced) return retentionMs ?? own
  throw new DeltaError(
    'DELTA_RETENTION_TOO_SHORT',
    `A retention of ${retentionMs} ms is less than the table's ${own} ms; set delta.deletedFileRetentionDuration, or force it when no other reader or writer is at work`,
  )
}

function addPaths(
  file: { readonly path: string; readonly deletionVector?: Parameters<typeof deletionVectorPath>[0] | null },
  location: string,
  needed: Set<string>,
): void {
  needed.add(belowRoot(file.path, location))
  const vector = file.deletionVector ? deletionVectorPath(file.deletionVector) : null
  if (vector !== null) needed.add(belowRoot(vector, location))
}

/** The path as it is listed, also where the log names a file of the table by its URI. */
function belowRoot(path: string, location: string): string {
  const uri = canonicalPath(path).replace(/^s3a:/i, 's3:')
  const root = location.endsWith('/') ? location : `${location}/`
  return uri.startsWith(root) ? uri.slice(root.length) : uri
}

/** Folders of partitions whose column begins with an underscore are not hidden, nor are files of the change data feed. */
function isHidden(path: string): boolean {
  return path.split('/').some((part) => /^[._]/.test(part) && !part.includes('=') && part !== '_change_data')
}
