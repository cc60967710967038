import type { AddFile } from './actions.ts'
import { keepsChangeFeed } from './change-feed.ts'
import type { CommitRequest } from './commit.ts'
import { DeltaError } from './errors.ts'
import { DELETED, fillTable, newValue, UPDATED, withTemporaryTable, writeRowChanges } from './row-changes.ts'
import { SCAN_FILE, SCAN_ROW } from './scan.ts'
import type { Snapshot } from './snapshot.ts'
import { liveRowCount } from './statistics.ts'
import {
  columnList,
  type OperationResult,
  relationWithPosition,
  type TableAccess,
  transact,
  writeRows,
} from './transact.ts'
import { fieldNamed } from './type-assignment.ts'

/** What is known of the rows that match. */
interface Matches {
  readonly files: readonly AddFile[]
  /** Files some of whose rows do not match. */
  readonly partial: readonly AddFile[]
  readonly rowCount: number
}

type Written = Pick<CommitRequest, 'add' | 'changes'>

/**
 * Deletes the rows for which a condition (SQL) is true; all rows without one. Copy on write. The change data feed needs
 * no files of its own where files are removed as they are.
 */
export function deleteRows(table: TableAccess, where?: string): Promise<OperationResult> {
  return transact(table, async (snapshot) => {
    if (where === undefined) return deleteAll(snapshot)
    const change = { name: 'DELETE', rows: 'numDeletedRows', where } as const
    if (keepsChangeFeed(snapshot)) return deleteWithFeed(table, snapshot, change)
    const matches = await filesWithMatches(table, snapshot, { where })
    const { partial } = matches
    const add = partial.length === 0 ? [] : await rewritten(table, snapshot, { files: partial, where })
    return requestOf(snapshot, change, { matches, written: { add } })
  })
}

/** Sets columns of the rows for which a condition is true (of all without one) to SQL expressions over the row. */
export function updateRows(
  table: TableAccess,
  { set, where }: { readonly set: Readonly<Record<string, string>>; readonly where?: string },
): Promise<OperationResult> {
  return transact(table, async (snapshot) => {
    const change = {
      name: 'UPDATE',
      rows: 'numUpdatedRows',
      ...(where === undefined ? {} : { where }),
    } as const
    const values = updatedColumns(table, snapshot, { set, where: where ?? 'true' })
    if (keepsChangeFeed(snapshot)) return updateWithFeed(table, snapshot, { change, set })
    const matches = await filesWithMatches(table, snapshot, { where: where ?? 'true' })
    if (matches.files.length === 0) return null
    const { sql } = await relationWithPosition(table, snapshot, matches.files)
    const columns = values.map(({ name, value }) => `${value} AS ${name}`)
    const add = await writeRows(table, snapshot, `SELECT ${columns.join(', ')} FROM ${sql}`)
    return requestOf(snapshot, change, { matches, written: { add } })
  })
}

/** An operation, as the log tells of it. */
interface Change {
  readonly name: 'DELETE' | 'UPDATE'
  /** Its metric of changed rows. */
  readonly rows: string
  readonly where?: string
}

function deleteWithFeed(
  table: TableAccess,
  snapshot: Snapshot,
  change: Change,
): Promise<CommitRequest | null> {
  return withTemporaryTable(table, async (name) => {
    const matches = await filesWithMatches(table, snapshot, {
      where: change.where ?? 'true',
      into: { name, columns: [`${DELETED} AS change`] },
    })
    const changes = { name, hasNewValues: false }
    // One version is told by change data files alone or by the files it removed: not by both.
    const written =
      matches.partial.length === 0
        ? { add: [] }
        : await writeRowChanges(table, snapshot, { changes, files: matches.files })
    return requestOf(snapshot, change, { matches, written })
  })
}

function updateWithFeed(
  table: TableAccess,
  snapshot: Snapshot,
  { change, set }: { readonly change: Change; readonly set: Readonly<Record<string, string>> },
): Promise<CommitRequest | null> {
  return withTemporaryTable(table, async (name) => {
    const values = updatedColumns(table, snapshot, { set, where: 'true' })
    const columns = [`${UPDATED} AS change`, ...values.map(({ value }, i) => `${value} AS ${newValue(i)}`)]
    const where = change.where ?? 'true'
    const matches = await filesWithMatches(table, snapshot, { where, into: { name, columns } })
    if (matches.files.length === 0) return null
    const changes = { name, hasNewValues: true }
    const written = await writeRowChanges(table, snapshot, { changes, files: matches.files })
    return requestOf(snapshot, change, { matches, written })
  })
}

function requestOf(
  snapshot: Snapshot,
  { name, rows, where }: Change,
  { matches, written }: { readonly matches: Matches; readonly written: Written },
): CommitRequest | null {
  if (matches.files.length === 0) return null
  return {
    ...written,
    remove: matches.files,
    readVersion: snapshot.version,
    reads: { files: matches.files },
    operation: name,
    operationParameters: where === undefined ? {} : { predicate: JSON.stringify([where]) },
    operationMetrics: {
      [rows]: matches.rowCount,
      numRemovedFiles: matches.files.length,
      numAddedFiles: written.add.length,
      ...(written.changes ? { numAddedChangeFiles: written.changes.length } : {}),
    },
  }
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

/** Files with rows for which the condition is true. Where the rows are, with other columns, goes `into` a table if asked for. */
async function filesWithMatches(
  table: TableAccess,
  snapshot: Snapshot,
  {
    where,
    into,
  }: {
    readonly where: string
    readonly into?: { readonly name: string; readonly columns: readonly string[] }
  },
): Promise<Matches> {
  const { sql, byLocalPath } = await relationWithPosition(table, snapshot)
  let from = `${sql} WHERE (${where})`
  if (into !== undefined) {
    const columns = [SCAN_FILE, SCAN_ROW, ...into.columns].join(', ')
    await fillTable(table, into.name, `SELECT ${columns} FROM ${from}`)
    from = into.name
  }
  const rows = await table.engine.rows(
    `SELECT ${SCAN_FILE} AS file, count(*) AS row_count FROM ${from} GROUP BY 1`,
  )
  const counted = rows.flatMap(({ file, row_count }) => {
    const found = byLocalPath.get(String(file))
    return found === undefined ? [] : [{ file: found, rowCount: Number(row_count) }]
  })
  return {
    files: counted.map(({ file }) => file),
    partial: counted.filter(({ file, rowCount }) => liveRowCount(file) !== rowCount).map(({ file }) => file),
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

/** New values of the columns, by quoted name. They keep the types the expressions give them, so that one that does not fit is refused. */
function updatedColumns(
  table: TableAccess,
  snapshot: Snapshot,
  { set, where }: { readonly set: Readonly<Record<string, string>>; readonly where: string },
): { readonly name: string; readonly value: string }[] {
  const changes = new Map(Object.entries(set).map(([name, sql]) => [changedField(snapshot, name).name, sql]))
  return snapshot.schema.fields.map((field) => {
    const name = table.engine.quoteName(field.name)
    const sql = changes.get(field.name)
    return { name, value: sql === undefined ? name : `CASE WHEN (${where}) THEN (${sql}) ELSE ${name} END` }
  })
}
