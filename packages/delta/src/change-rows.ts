import type { AddFile } from './actions.ts'
import type { CommitRequest } from './commit.ts'
import { DeltaError } from './errors.ts'
import { SCAN_FILE } from './scan.ts'
import type { Snapshot } from './snapshot.ts'
import { liveRowCount } from './statistics.ts'
import { isEnabled } from './table-features.ts'
import {
  type OperationResult,
  relationWithPosition,
  type TableAccess,
  transact,
  writeRows,
} from './transact.ts'
import { fieldNamed } from './type-assignment.ts'

/** A table whose files with matching rows are known. */
interface Matches {
  readonly files: readonly AddFile[]
  /** Files all of whose rows match. */
  readonly whole: readonly AddFile[]
  readonly rowCount: number
}

/** Deletes the rows for which a condition (SQL) is true; all rows without one. Copy on write. */
export function deleteRows(table: TableAccess, where?: string): Promise<OperationResult> {
  return transact(table, async (snapshot) => {
    if (where === undefined) return deleteAll(snapshot)
    assertNoChangeFeed(snapshot, 'delete')
    const matches = await filesWithMatches(table, snapshot, where)
    if (matches.files.length === 0) return null
    const partial = matches.files.filter((file) => !matches.whole.includes(file))
    const add = partial.length === 0 ? [] : await rewritten(table, snapshot, { files: partial, where })
    return {
      add,
      remove: matches.files,
      readVersion: snapshot.version,
      reads: { files: matches.files },
      operation: 'DELETE',
      operationParameters: { predicate: JSON.stringify([where]) },
      operationMetrics: {
        numDeletedRows: matches.rowCount,
        numRemovedFiles: matches.files.length,
        numAddedFiles: add.length,
      },
    }
  })
}

/** Sets columns of the rows for which a condition is true (of all without one) to SQL expressions over the row. */
export function updateRows(
  table: TableAccess,
  { set, where }: { readonly set: Readonly<Record<string, string>>; readonly where?: string },
): Promise<OperationResult> {
  return transact(table, async (snapshot) => {
    assertNoChangeFeed(snapshot, 'update')
    const columns = updatedColumns(table, snapshot, { set, where: where ?? 'true' })
    const matches = await filesWithMatches(table, snapshot, where ?? 'true')
    if (matches.files.length === 0) return null
    const { sql } = await relationWithPosition(table, snapshot, matches.files)
    const add = await writeRows(table, snapshot, `SELECT ${columns} FROM ${sql}`)
    return {
      add,
      remove: matches.files,
      readVersion: snapshot.version,
      reads: { files: matches.files },
      operation: 'UPDATE',
      operationParameters: where === undefined ? {} : { predicate: JSON.stringify([where]) },
      operationMetrics: {
        numUpdatedRows: matches.rowCount,
        numRemovedFiles: matches.files.length,
        numAddedFiles: add.length,
      },
    }
  })
}

/**
 * Throws `DELTA_FEATURE_UNSUPPORTED` where a change of single rows would have to be written to the change data feed as
 * well, which this library reads but does not write.
 */
export function assertNoChangeFeed(snapshot: Snapshot, operation: string): void {
  if (!isEnabled(snapshot.metadata, 'delta.enableChangeDataFeed')) return
  throw new DeltaError(
    'DELTA_FEATURE_UNSUPPORTED',
    `To ${operation} single rows of a table with delta.enableChangeDataFeed is not supported (feature: changeDataFeed); append or overwrite instead`,
  )
}

/** The column list of the table, by name, for a SELECT over `relationWithPosition`. */
export function columnList(table: TableAccess, snapshot: Snapshot, prefix = ''): string {
  return snapshot.schema.fields.map(({ name }) => `${prefix}${table.engine.quoteName(name)}`).join(', ')
}

/** The field a change names. Throws `DELTA_VALUE_INVALID` when there is none. */
export function changedField(snapshot: Snapshot, name: string) {
  const field = fieldNamed(snapshot.schema.fields, name)
  if (field) return field
  throw new DeltaError(
    'DELTA_VALUE_INVALID',
    `There is no column ${name} to set; there are ${snapshot.schema.fields.map((one) => one.name).join(', ')}`,
  )
}

function deleteAll(snapshot: Snapshot): CommitRequest | null {
  const files = [...snapshot.files.values()]
  if (files.length === 0) return null
  return {
    add: [],
    remove: files,
    readVersion: snapshot.version,
    operation: 'DELETE',
    operationParameters: { predicate: '[]' },
    operationMetrics: { numRemovedFiles: files.length, numAddedFiles: 0 },
  }
}

async function filesWithMatches(table: TableAccess, snapshot: Snapshot, where: string): Promise<Matches> {
  const { sql, byLocalPath } = await relationWithPosition(table, snapshot)
  const rows = await table.engine.rows(
    `SELECT ${SCAN_FILE} AS file, count(*) AS row_count FROM ${sql} WHERE (${where}) GROUP BY 1`,
  )
  const counted = rows.flatMap(({ file, row_count }) => {
    const found = byLocalPath.get(String(file))
    return found === undefined ? [] : [{ file: found, rowCount: Number(row_count) }]
  })
  return {
    files: counted.map(({ file }) => file),
    whole: counted.filter(({ file, rowCount }) => liveRowCount(file) === rowCount).map(({ file }) => file),
    rowCount: counted.reduce((sum, one) => sum + one.rowCount, 0),
  }
}

async function rewritten(
  table: TableAccess,
  snapshot: Snapshot,
  { files, where }: { readonly files: readonly AddFile[]; readonly where: string },
) {
  const { sql } = await relationWithPosition(table, snapshot, files)
  return writeRows(
    table,
    snapshot,
    `SELECT ${columnList(table, snapshot)} FROM ${sql} WHERE (${where}) IS NOT TRUE`,
  )
}

/** Values keep the types the expressions give them, so that one that does not fit its column is refused. */
function updatedColumns(
  table: TableAccess,
  snapshot: Snapshot,
  { set, where }: { readonly set: Readonly<Record<string, string>>; readonly where: string },
): string {
  const changes = new Map(Object.entries(set).map(([name, sql]) => [changedField(snapshot, name).name, sql]))
  return snapshot.schema.fields
    .map(({ name }) => {
      const quoted = table.engine.quoteName(name)
      const value = changes.get(name)
      return value === undefined
        ? quoted
        : `CASE WHEN (${where}) THEN (${value}) ELSE ${quoted} END AS ${quoted}`
    })
    .join(', ')
}
