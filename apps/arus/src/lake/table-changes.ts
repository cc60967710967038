import type { AddFile, DeltaTable, Snapshot } from '@arus/delta'
import type { Lake } from './lake.ts'
import type { TableName } from './table-names.ts'

/** Files that one version of a table has and an earlier one has not, and the other way round. */
export interface FileChanges {
  readonly from: number
  readonly to: number
  readonly added: readonly AddFile[]
  readonly removed: readonly AddFile[]
}

/**
 * What changed between version `from` and a snapshot. Null when that version cannot be read any more (or never was,
 * below 0): its log entries or the files it alone needs are gone.
 */
export async function changesSince(
  lake: Lake,
  name: TableName,
  from: number,
  to: Snapshot,
): Promise<FileChanges | null> {
  if (from < 0) return null
  if (from === to.version) return { from, to: to.version, added: [], removed: [] }
  const table = await lake.table(name)
  const before = await table.at({ version: from }).catch(() => null)
  if (before === null) return null
  const added = [...to.files].filter(([key]) => !before.files.has(key)).map(([, file]) => file)
  const removed = [...before.files].filter(([key]) => !to.files.has(key)).map(([, file]) => file)
  return (await areThere(table, removed)) ? { from, to: to.version, added, removed } : null
}

async function areThere(table: DeltaTable, files: readonly AddFile[]): Promise<boolean> {
  if (files.length === 0) return true
  const there = new Set((await table.storage.listData()).map(({ path }) => path))
  return files.every(({ path }) => there.has(decodeURIComponent(path)))
}

/** Application under which a table says up to which version of another it was computed. */
export function followerId(source: TableName): string {
  return `arus-follow-${source}`
}

/** Version of `source` that a snapshot of a derived table stands for; -1 for none. */
export function followedVersion(snapshot: Snapshot, source: TableName): number {
  return snapshot.transactions.get(followerId(source))?.version ?? -1
}

/** Transactions that say a table stands for these versions now; those it already states are left out. */
export function follow(snapshot: Snapshot, versions: Readonly<Partial<Record<TableName, number>>>) {
  return (Object.entries(versions) as [TableName, number][])
    .filter(([source, version]) => followedVersion(snapshot, source) < version)
    .map(([source, version]) => ({ appId: followerId(source), version }))
}
