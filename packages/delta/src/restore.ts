import type { AddFile } from './actions.ts'
import { DeltaError } from './errors.ts'
import { storagePath } from './log-paths.ts'
import { fileKey, type Snapshot } from './snapshot.ts'
import type { Storage } from './storage.ts'
import { type OperationResult, type TableAccess, transact } from './transact.ts'

/**
 * Makes the table what it was at an older version, as a new version: its files, schema and properties. Throws
 * `DELTA_NOT_FOUND` when a file of that version was vacuumed; nothing is changed then.
 */
export function restoreTable(table: TableAccess, target: Snapshot): Promise<OperationResult> {
  return transact(table, async (snapshot) => {
    const remove = [...snapshot.files].filter(([key]) => !target.files.has(key)).map(([, file]) => file)
    const restore = [...target.files].filter(([key]) => !snapshot.files.has(key)).map(([, file]) => file)
    const isSameMetadata = JSON.stringify(snapshot.metadata) === JSON.stringify(target.metadata)
    if (remove.length === 0 && restore.length === 0 && isSameMetadata) return null
    await assertThere(table.storage, restore, target.version)
    return {
      add: [],
      restore,
      remove,
      ...(isSameMetadata ? {} : { metadata: target.metadata }),
      readVersion: snapshot.version,
      operation: 'RESTORE',
      operationParameters: { version: String(target.version) },
      operationMetrics: {
        numRestoredFiles: restore.length,
        numRemovedFiles: remove.length,
        tableSizeAfterRestore: [...target.files.values()].reduce((sum, file) => sum + file.size, 0),
        numOfFilesAfterRestore: target.files.size,
      },
    }
  })
}

async function assertThere(storage: Storage, files: readonly AddFile[], version: number): Promise<void> {
  if (files.length === 0) return
  const there = new Set((await storage.listData()).map(({ path }) => path))
  const gone = files.filter((file) => !isAbsolute(file.path) && !there.has(storagePath(file.path)))
  if (gone.length === 0) return
  throw new DeltaError(
    'DELTA_NOT_FOUND',
    `Version ${version} cannot be restored: ${gone.length} of its files are gone (${fileKey(gone[0] as AddFile)}), removed by a vacuum`,
  )
}

function isAbsolute(path: string): boolean {
  return /^([a-z][a-z0-9+.-]*:|\/)/i.test(path)
}
