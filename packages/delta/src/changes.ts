import {
  type Action,
  type AddFile,
  type ChangeFile,
  type Metadata,
  parseCommit,
  type RemoveFile,
} from './actions.ts'
import { assertNoFeedColumns, CHANGE_TYPE } from './change-feed.ts'
import { deletedRows, restoredRows, rowsOfFiles, type VectorChange } from './changed-vectors.ts'
import { DeltaError } from './errors.ts'
import { loadSnapshot } from './load-snapshot.ts'
import { commitPath, LOG_FOLDER, nameBefore } from './log-names.ts'
import { openScan } from './scan.ts'
import type { Snapshot } from './snapshot.ts'
import { isEnabled } from './table-features.ts'
import { commitTimestamp } from './timestamps.ts'
import type { TableAccess } from './transact.ts'

/** Versions, both inclusive. */
export interface ChangeRange {
  readonly from: number
  readonly to: number
}

/**
 * The change data feed of some versions, as text for FROM: the table's columns, `_change_type` (`insert`, `delete`,
 * `update_preimage`, `update_postimage`), `_commit_version` and `_commit_timestamp`. Protocol, "Add CDC File": a version
 * with change data files is told by them alone, another by the files and deletion vectors it added and removed. Throws
 * `DELTA_FEATURE_UNSUPPORTED` where the table does not keep a feed, or did not at one of the versions;
 * `DELTA_VERSION_UNKNOWN` for commits that are gone.
 */
export async function changesRelation(
  table: TableAccess,
  snapshot: Snapshot,
  { from, to }: ChangeRange,
): Promise<string> {
  assertKept(snapshot.metadata, snapshot.version)
  assertNoFeedColumns(snapshot.schema)
  const first = from < snapshot.version ? await loadSnapshot(table.storage, from) : snapshot
  assertKept(first.metadata, from)
  const selects: string[] = []
  for (let version = from; version <= to; version++)
    selects.push(...(await versionSelects(table, snapshot, version)))
  const last = selects.length > 0 ? selects : [await emptySelect(table, snapshot)]
  return `(${last.join(' UNION ALL ')})`
}

/** A version from before the feed was switched on may have changed rows that no file tells of. */
function assertKept(metadata: Metadata, version: number): void {
  if (isEnabled(metadata, 'delta.enableChangeDataFeed')) return
  throw new DeltaError(
    'DELTA_FEATURE_UNSUPPORTED',
    `The table kept no change data feed at version ${version} (delta.enableChangeDataFeed is not true there); ask for versions since it was switched on`,
  )
}

async function versionSelects(table: TableAccess, snapshot: Snapshot, version: number): Promise<string[]> {
  const path = commitPath(version)
  const bytes = await table.storage.read(path).catch((error: unknown) => {
    throw new DeltaError('DELTA_VERSION_UNKNOWN', `The commit of version ${version} is not in the log`, error)
  })
  const actions = parseCommit(bytes, path)
  for (const { metaData } of actions) if (metaData) assertKept(metaData, version)
  const files = await table.storage.list(LOG_FOLDER, nameBefore(version))
  const timestampMs = Math.floor(commitTimestamp(files, version, actions))
  const place = `${version}::BIGINT AS _commit_version, make_timestamp(${timestampMs} * 1000)::TIMESTAMPTZ AS _commit_timestamp`
  const changes = actions.flatMap(({ cdc }) => (cdc ? [cdc] : []))
  if (changes.length > 0) {
    const withType = {
      ...snapshot,
      schema: { ...snapshot.schema, fields: [...snapshot.schema.fields, CHANGE_TYPE] },
    }
    const scan = await openScan(table.storage, withType, { files: changes.map(addOfChange) })
    return [`SELECT *, ${place} FROM ${await table.engine.relation(scan)}`]
  }
  const selects: string[] = []
  const { added, removed, vectors } = changedFiles(actions)
  for (const [type, files, rows] of [
    ['insert', added, vectors.map(restoredRows)],
    ['delete', removed, vectors.map(deletedRows)],
  ] as const) {
    const relations = [
      ...(files.length > 0 ? [await wholeFiles(table, snapshot, files)] : []),
      ...(await rowsOfFiles(table, snapshot, rows)),
    ]
    for (const relation of relations)
      selects.push(`SELECT *, '${type}' AS _change_type, ${place} FROM ${relation}`)
  }
  return selects
}

async function wholeFiles(
  table: TableAccess,
  snapshot: Snapshot,
  files: readonly AddFile[],
): Promise<string> {
  return table.engine.relation(await openScan(table.storage, snapshot, { files }))
}

/** Files that came and went, and those that stayed with other rows deleted. */
function changedFiles(actions: readonly Action[]): {
  readonly added: readonly AddFile[]
  readonly removed: readonly AddFile[]
  readonly vectors: readonly VectorChange[]
} {
  const adds = actions.flatMap(({ add }) => (add?.dataChange ? [add] : []))
  const removes = actions.flatMap(({ remove }) => (remove?.dataChange ? [addOfRemoved(remove)] : []))
  const before = new Map(removes.map((file) => [file.path, file]))
  const after = new Set(adds.map(({ path }) => path))
  return {
    added: adds.filter(({ path }) => !before.has(path)),
    removed: removes.filter(({ path }) => !after.has(path)),
    vectors: adds.flatMap((add) => {
      const old = before.get(add.path)
      return old ? [{ before: old, after: add }] : []
    }),
  }
}

async function emptySelect(table: TableAccess, snapshot: Snapshot): Promise<string> {
  const scan = await openScan(table.storage, snapshot, { files: [] })
  return `SELECT *, '' AS _change_type, 0::BIGINT AS _commit_version, make_timestamp(0)::TIMESTAMPTZ AS _commit_timestamp FROM ${await table.engine.relation(scan)}`
}

function addOfChange({ path, partitionValues, size }: ChangeFile): AddFile {
  return { path, partitionValues, size, modificationTime: 0, dataChange: false }
}

function addOfRemoved(remove: RemoveFile): AddFile {
  return {
    path: remove.path,
    partitionValues: remove.partitionValues ?? {},
    size: remove.size ?? 0,
    modificationTime: 0,
    dataChange: true,
    ...(remove.deletionVector ? { deletionVector: remove.deletionVector } : {}),
  }
}
