import { type AddFile, type ChangeFile, parseCommit, type RemoveFile } from './actions.ts'
import { assertNoFeedColumns, CHANGE_TYPE } from './change-feed.ts'
import { readDeletionVector } from './deletion-vector.ts'
import { DeltaError } from './errors.ts'
import { commitPath, LOG_FOLDER, nameBefore } from './log-names.ts'
import { openScan, SCAN_ROW } from './scan.ts'
import type { Snapshot } from './snapshot.ts'
import { isEnabled } from './table-features.ts'
import { commitTimestamp } from './timestamps.ts'
import { columnList, type TableAccess } from './transact.ts'

/** Versions, both inclusive. */
export interface ChangeRange {
  readonly from: number
  readonly to: number
}

/**
 * The change data feed of some versions, as text for FROM: the table's columns, `_change_type` (`insert`, `delete`,
 * `update_preimage`, `update_postimage`), `_commit_version` and `_commit_timestamp`. Protocol, "Add CDC File": a version
 * with change data files is told by them alone, another by the files and deletion vectors it added and removed. Throws
 * `DELTA_FEATURE_UNSUPPORTED` where the table does not keep a feed, `DELTA_VERSION_UNKNOWN` for commits that are gone.
 */
export async function changesRelation(
  table: TableAccess,
  snapshot: Snapshot,
  { from, to }: ChangeRange,
): Promise<string> {
  if (!isEnabled(snapshot.metadata, 'delta.enableChangeDataFeed')) {
    throw new DeltaError(
      'DELTA_FEATURE_UNSUPPORTED',
      'The table keeps no change data feed (delta.enableChangeDataFeed is not true)',
    )
  }
  assertNoFeedColumns(snapshot.schema)
  const selects: string[] = []
  for (let version = from; version <= to; version++)
    selects.push(...(await versionSelects(table, snapshot, version)))
  const last = selects.length > 0 ? selects : [await emptySelect(table, snapshot)]
  return `(${last.join(' UNION ALL ')})`
}

async function versionSelects(table: TableAccess, snapshot: Snapshot, version: number): Promise<string[]> {
  const path = commitPath(version)
  const bytes = await table.storage.read(path).catch((error: unknown) => {
    throw new DeltaError('DELTA_VERSION_UNKNOWN', `The commit of version ${version} is not in the log`, error)
  })
  const actions = parseCommit(bytes, path)
  const log = await table.storage.list(LOG_FOLDER, nameBefore(version))
  const timestampMs = Math.floor(commitTimestamp(log, version, actions))
  const place = `${version}::BIGINT AS _commit_version, make_timestamp(${timestampMs} * 1000)::TIMESTAMPTZ AS _commit_timestamp`
  const changes = actions.flatMap(({ cdc }) => (cdc ? [addOfChange(cdc)] : []))
  if (changes.length > 0) {
    const fields = [...snapshot.schema.fields, CHANGE_TYPE]
    const withType = { ...snapshot, schema: { ...snapshot.schema, fields } }
    const scan = await openScan(table.storage, withType, { files: changes })
    return [`SELECT *, ${place} FROM ${await table.engine.relation(scan)}`]
  }
  const added = actions.flatMap(({ add }) => (add?.dataChange ? [add] : []))
  const removed = actions.flatMap(({ remove }) => (remove?.dataChange ? [addOfRemoved(remove)] : []))
  return [
    ...(await rowsIn(table, snapshot, {
      files: added,
      others: removed,
      end: `'insert' AS _change_type, ${place}`,
    })),
    ...(await rowsIn(table, snapshot, {
      files: removed,
      others: added,
      end: `'delete' AS _change_type, ${place}`,
    })),
  ]
}

/** The rows of files that were added, as far as they are not those removed; or the other way round. */
async function rowsIn(
  table: TableAccess,
  snapshot: Snapshot,
  {
    files,
    others,
    end,
  }: { readonly files: readonly AddFile[]; readonly others: readonly AddFile[]; readonly end: string },
): Promise<string[]> {
  const other = new Map(others.map((file) => [file.path, file]))
  const selects: string[] = []
  const whole = files.filter(({ path }) => !other.has(path))
  if (whole.length > 0) {
    const scan = await openScan(table.storage, snapshot, { files: whole })
    selects.push(`SELECT *, ${end} FROM ${await table.engine.relation(scan)}`)
  }
  for (const file of files) {
    const twin = other.get(file.path)
    if (twin) selects.push(...(await rowsOnlyIn(table, snapshot, { file, twin, end })))
  }
  return selects
}

/** A file whose deletion vector changed: the rows that it has now, or had before, and the other has not. */
async function rowsOnlyIn(
  table: TableAccess,
  snapshot: Snapshot,
  { file, twin, end }: { readonly file: AddFile; readonly twin: AddFile; readonly end: string },
): Promise<string[]> {
  const isDeleted = new Set(await deletedRows(table, file))
  const rows = (await deletedRows(table, twin)).filter((row) => !isDeleted.has(row))
  if (rows.length === 0) return []
  const { deletionVector: _, ...all } = file
  const scan = await openScan(table.storage, snapshot, { files: [all], withPosition: true })
  const from = `${await table.engine.relation(scan)} WHERE ${SCAN_ROW} IN (${rows.join(', ')})`
  return [`SELECT ${columnList(table, snapshot)}, ${end} FROM ${from}`]
}

async function deletedRows({ storage }: TableAccess, { deletionVector }: AddFile): Promise<Float64Array> {
  return deletionVector ? readDeletionVector(storage, deletionVector) : new Float64Array()
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
