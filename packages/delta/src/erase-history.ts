import { writeCheckpoint } from './checkpoint.ts'
import { checkpointPath, LAST_CHECKPOINT, LOG_FOLDER, parseLogName, SIDECAR_FOLDER } from './log-names.ts'
import type { ParquetEngine } from './parquet-engine.ts'
import type { Snapshot } from './snapshot.ts'
import type { Storage } from './storage.ts'
import { unneededFiles } from './vacuum.ts'

/** Files that are no longer there. */
export interface ErasedHistory {
  /** Commits, checkpoints, checksums and compactions of earlier versions. */
  readonly logFiles: number
  /** Data files that only earlier versions, or none, had. */
  readonly dataFiles: number
}

/**
 * Makes the snapshot, which must be the newest, the only version that can be read: a checkpoint stands for what came
 * before, whose commits and checkpoints go (their statistics hold the least and the greatest text of each column), and
 * whose data files go, of whatever age. Nothing else may write meanwhile: a file that is written but not committed yet
 * goes too. Can be repeated after it was cut short.
 */
export async function eraseHistory(
  { storage, engine }: { readonly storage: Storage; readonly engine: ParquetEngine },
  snapshot: Snapshot,
  nowMs: number,
): Promise<ErasedHistory> {
  await writeCheckpoint({ storage, engine }, snapshot, nowMs)
  const logFiles = [
    ...(await storage.list(LOG_FOLDER)).filter(({ path }) => isEarlier(path, snapshot.version)),
    ...(await storage.list(SIDECAR_FOLDER)),
  ]
  for (const { path } of logFiles) await storage.delete(path)
  const dataFiles = await unneededFiles(storage, snapshot, {
    // After every file, whatever the clocks said when it was written.
    nowMs: Number.POSITIVE_INFINITY,
    options: { retentionMs: 0, isForced: true },
  })
  for (const { path } of dataFiles) await storage.delete(path)
  // Written anew, so that the folder is synced, and with it that the others are gone.
  await storage.put(LAST_CHECKPOINT, await storage.read(LAST_CHECKPOINT))
  return { logFiles: logFiles.length, dataFiles: dataFiles.length }
}

/** True for another checkpoint of the same version too. */
function isEarlier(path: string, version: number): boolean {
  const file = parseLogName(path)
  if (file.kind === 'other') return false
  return file.version < version || (file.kind === 'checkpoint' && path !== checkpointPath(version))
}
