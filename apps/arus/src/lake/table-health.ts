import type { DeltaTable, Snapshot } from '@arus/delta'
import type { TableSummary } from '../api-schema/lake.ts'

/** How a table is kept. */
export type TableHealth = NonNullable<TableSummary['health']>

/** Smaller files cost more to open than to read. */
const SMALL_FILE_BYTES = 16 * 1024 * 1024
/** Compaction puts a partition's files together well before there are so many. */
const SMALL_FILES_MAX = 64
/** Opening a table reads every commit since its checkpoint. */
const CHECKPOINT_LAG_MAX = 3
const CHECKPOINT_INTERVAL = 10
const CHECKPOINT_NAME = /(\d{20})\.checkpoint\./

/** Looks at the files and the log of a table at its newest version. */
export async function tableHealth(
  table: DeltaTable,
  snapshot: Snapshot,
  nowMs: number,
): Promise<TableHealth> {
  const files = [...snapshot.files.values()]
  const small = files.filter(({ size }) => size < SMALL_FILE_BYTES)
  const perPartition = new Map<string, number>()
  for (const { partitionValues } of small) {
    const key = JSON.stringify(partitionValues)
    perPartition.set(key, (perPartition.get(key) ?? 0) + 1)
  }
  const most = Math.max(0, ...perPartition.values())
  const lag = snapshot.version - (await checkpointVersion(table))
  const interval = Number(snapshot.metadata.configuration['delta.checkpointInterval'] ?? CHECKPOINT_INTERVAL)
  const reasons = [
    ...(most > SMALL_FILES_MAX ? [`${most} files under 16 MiB in one partition; they await compaction`] : []),
    ...(lag > CHECKPOINT_LAG_MAX * interval
      ? [`${lag} commits since the last checkpoint; one is due every ${interval}`]
      : []),
  ]
  return {
    status: reasons.length === 0 ? 'ok' : 'attention',
    reasons,
    small_files: small.length,
    small_file_fraction: files.length === 0 ? null : small.length / files.length,
    small_files_in_partition_max: most,
    commits_since_checkpoint: lag,
    age_seconds:
      snapshot.timestampMs > 0 ? Math.max(0, Math.round((nowMs - snapshot.timestampMs) / 1_000)) : null,
  }
}

/** -1 when there is none yet. */
async function checkpointVersion({ storage }: DeltaTable): Promise<number> {
  const versions = (await storage.list('_delta_log')).map(({ path }) =>
    Number(CHECKPOINT_NAME.exec(path)?.[1] ?? -1),
  )
  return Math.max(-1, ...versions)
}
