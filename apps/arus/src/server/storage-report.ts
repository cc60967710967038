import type { SystemMetrics } from '../api-schema.ts'
import { dataFolders, type Settings } from '../config/settings.ts'
import type { Lake } from '../lake/lake.ts'
import { folderSizeBytes } from '../operations/storage-sizes.ts'

/** Every table of the lake, for the system page. */
export async function tableFacts(lake: Lake): Promise<SystemMetrics['tables']> {
  const tables = await lake.describe()
  return tables.map((table) => ({
    table: table.name,
    version: table.version,
    rows: table.rowCount,
    files: table.fileCount,
    size_bytes: table.sizeBytes,
    updated_at: table.updatedAtMs,
  }))
}

/** Disk used by each part. */
export async function storageSizes(settings: Settings): Promise<SystemMetrics['storage']> {
  const folders = dataFolders(settings)
  const parts = ['log', 'state', 'lake', 'catalogue', 'models', 'database', 'temporary'] as const
  return Promise.all(parts.map(async (name) => ({ name, size_bytes: await folderSizeBytes(folders[name]) })))
}
