import type { SystemMetrics } from '../api-schema/index.ts'
import { dataFolders, type Settings } from '../config/settings.ts'
import type { Lake } from '../lake/lake.ts'
import type { LakePlace } from '../lake/lake-place.ts'
import { failingChecks } from '../lake/quality-results.ts'
import { folderSizeBytes } from '../operations/storage-sizes.ts'

/** Every table of the lake, for the system page. What the quality checks found is read again when there is something new. */
export function tableReport(lake: Lake): () => Promise<SystemMetrics['tables']> {
  let failing: { readonly version: number; readonly counts: ReadonlyMap<string, number> } = {
    version: -1,
    counts: new Map(),
  }
  return async () => {
    const tables = await lake.describe()
    const version = tables.find(({ name }) => name === 'gold.quality_results')?.version ?? -1
    if (version > failing.version) failing = { version, counts: await failingChecks(lake) }
    return tables.map((table) => ({
      table: table.name,
      version: table.version,
      rows: table.rowCount,
      files: table.fileCount,
      size_bytes: table.sizeBytes,
      updated_at: table.updatedAtMs,
      failing_checks: failing.counts.get(table.name) ?? 0,
    }))
  }
}

/** Room taken by each part, wherever it is; `lakeCache` are copies on this machine of what the lake has elsewhere. */
export async function storageSizes(settings: Settings, place: LakePlace): Promise<SystemMetrics['storage']> {
  const folders = dataFolders(settings)
  const parts = ['log', 'state', 'catalogue', 'models', 'database', 'temporary'] as const
  const copies = settings.s3 === null ? [] : (['lakeCache'] as const)
  const onDisk = [...parts, ...copies].map(async (name) => ({
    name,
    size_bytes: await folderSizeBytes(folders[name]),
  }))
  return Promise.all([...onDisk, place.sizeBytes().then((size_bytes) => ({ name: 'lake', size_bytes }))])
}
