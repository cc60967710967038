import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Action } from './actions.ts'
import { checkpointPath, LAST_CHECKPOINT, LOG_FOLDER } from './log-names.ts'
import type { ParquetEngine } from './parquet-engine.ts'
import type { Snapshot } from './snapshot.ts'
import type { Storage } from './storage.ts'
import { supportsFeature } from './table-features.ts'
import { intervalMs } from './table-properties.ts'
import { temporaryName } from './temporary-files.ts'

/** Removed files are remembered this long in checkpoints unless the table says otherwise. */
const TOMBSTONE_RETENTION = 'interval 1 week'

/** The actions of a checkpoint of the snapshot (Protocol, "Checkpoints", "Action Reconciliation"). */
export function checkpointActions(snapshot: Snapshot, nowMs: number): Action[] {
  const retention =
    snapshot.metadata.configuration['delta.deletedFileRetentionDuration'] ?? TOMBSTONE_RETENTION
  const oldestMs = nowMs - intervalMs(retention)
  const isV2 = supportsFeature(snapshot.protocol, 'v2Checkpoint')
  const actions: Action[] = isV2 ? [{ checkpointMetadata: { version: snapshot.version } }] : []
  actions.push({ protocol: snapshot.protocol }, { metaData: snapshot.metadata })
  for (const txn of snapshot.transactions.values()) actions.push({ txn })
  for (const domainMetadata of snapshot.domains.values()) actions.push({ domainMetadata })
  for (const add of snapshot.files.values()) actions.push({ add: { ...add, dataChange: false } })
  for (const remove of snapshot.tombstones.values()) {
    if ((remove.deletionTimestamp ?? 0) > oldestMs) actions.push({ remove: { ...remove, dataChange: false } })
  }
  return actions
}

/** Writes a checkpoint of the snapshot under its classic name and points `_last_checkpoint` at it. */
export async function writeCheckpoint(
  { storage, engine }: { readonly storage: Storage; readonly engine: ParquetEngine },
  snapshot: Snapshot,
  nowMs: number,
): Promise<void> {
  const actions = checkpointActions(snapshot, nowMs)
  const temporary = storage.localPath(`${LOG_FOLDER}/${temporaryName('.checkpoint')}`)
  let sizeInBytes: number
  try {
    await mkdir(dirname(temporary), { recursive: true })
    sizeInBytes = await engine.writeActions(temporary, actions)
    await storage.putIfAbsent(checkpointPath(snapshot.version), await readFile(temporary))
  } finally {
    await rm(temporary, { force: true })
  }
  const hint = {
    version: snapshot.version,
    size: actions.length,
    sizeInBytes,
    numOfAddFiles: snapshot.files.size,
  }
  await storage.put(LAST_CHECKPOINT, new TextEncoder().encode(JSON.stringify(hint)))
}
