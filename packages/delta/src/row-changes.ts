import { randomUUID } from 'node:crypto'
import type { AddFile } from './actions.ts'
import type { CommitRequest } from './commit.ts'
import type { DataFile } from './parquet-engine.ts'
import { SCAN_FILE, SCAN_ROW } from './scan.ts'
import type { Snapshot } from './snapshot.ts'
import {
  columnList,
  discard,
  relationWithPosition,
  type TableAccess,
  writeChanges,
  writeRows,
} from './transact.ts'

/** What becomes of a row; SQL text. */
export const UPDATED = "'update'"
export const DELETED = "'delete'"
export const INSERTED = "'insert'"

/**
 * A temporary table with a row for each row that an operation changes: where it is (`SCAN_FILE`, `SCAN_ROW`; null for one
 * that is inserted), `change` (`UPDATED`, `DELETED`, `INSERTED`), and its new values, `newValue(i)` for the table's i-th
 * column, unless all are deleted. So conditions and expressions, which may be random, are evaluated once, and the table
 * and its change data feed tell the same.
 */
export interface RowChanges {
  readonly name: string
  readonly hasNewValues: boolean
}

/** The column of `RowChanges` with the new value of the table's i-th column. */
export function newValue(i: number): string {
  return `v${i}`
}

/** Does something with a temporary table, which is gone when it is done. */
export async function withTemporaryTable<T>(
  { engine }: TableAccess,
  use: (name: string) => Promise<T>,
): Promise<T> {
  const name = `delta_changes_${randomUUID().slice(0, 8)}`
  try {
    return await use(name)
  } finally {
    await engine.rows(`DROP TABLE IF EXISTS ${name}`)
  }
}

/** Makes the table of a SELECT. Throws `DELTA_SCHEMA_MISMATCH` for one that cannot be understood, as writing it would. */
export async function fillTable({ engine }: TableAccess, name: string, selectSql: string): Promise<void> {
  await engine.columns(selectSql)
  await engine.rows(`CREATE TEMP TABLE ${name} AS ${selectSql}`)
}

/** Writes `files` again with the changes in them, and what changed as change data files; both or nothing. */
export async function writeRowChanges(
  table: TableAccess,
  snapshot: Snapshot,
  { changes, files }: { readonly changes: RowChanges; readonly files: readonly AddFile[] },
): Promise<Required<Pick<CommitRequest, 'add' | 'changes'>>> {
  const { sql } = await relationWithPosition(table, snapshot, files)
  const add = await writeRows(table, snapshot, rowsAfter(table, snapshot, { changes, sql }))
  return { add, changes: await writtenOrNone(table, snapshot, { changes, sql, add }) }
}

async function writtenOrNone(
  table: TableAccess,
  snapshot: Snapshot,
  { changes, sql, add }: Source & { readonly add: readonly DataFile[] },
): Promise<DataFile[]> {
  try {
    return await writeChanges(table, snapshot, rowsChanged(table, snapshot, { changes, sql }))
  } catch (error) {
    await discard(table, add).catch(() => {})
    throw error
  }
}

interface Source {
  readonly changes: RowChanges
  /** The rows of the files, with their position. */
  readonly sql: string
}

/** All rows of the files that are not deleted, and those inserted. */
function rowsAfter(table: TableAccess, snapshot: Snapshot, { changes, sql }: Source): string {
  const { name, hasNewValues } = changes
  const columns = snapshot.schema.fields.map((field, i) => {
    const quoted = table.engine.quoteName(field.name)
    const value = `CASE WHEN c.change IS NULL THEN t.${quoted} ELSE c.${newValue(i)} END`
    return hasNewValues ? `${value} AS ${quoted}` : `t.${quoted}`
  })
  const kept = `SELECT ${columns.join(', ')} FROM ${sql} AS t LEFT JOIN ${name} AS c ON ${SAME_ROW} WHERE c.change IS DISTINCT FROM ${DELETED}`
  if (!hasNewValues) return kept
  return `${kept} UNION ALL ${newRows(table, snapshot, name)} WHERE c.change = ${INSERTED}`
}

/** The rows that the feed tells of, with `_change_type`. */
function rowsChanged(table: TableAccess, snapshot: Snapshot, { changes, sql }: Source): string {
  const { name, hasNewValues } = changes
  const before = `SELECT ${columnList(table, snapshot, 't.')}, CASE c.change WHEN ${DELETED} THEN 'delete' ELSE 'update_preimage' END AS _change_type FROM ${sql} AS t JOIN ${name} AS c ON ${SAME_ROW}`
  if (!hasNewValues) return before
  const type = `CASE c.change WHEN ${INSERTED} THEN 'insert' ELSE 'update_postimage' END AS _change_type`
  return `${before} UNION ALL ${newRows(table, snapshot, name, [type])} WHERE c.change <> ${DELETED}`
}

const SAME_ROW = `c.${SCAN_FILE} = t.${SCAN_FILE} AND c.${SCAN_ROW} = t.${SCAN_ROW}`

function newRows(
  table: TableAccess,
  { schema }: Snapshot,
  name: string,
  more: readonly string[] = [],
): string {
  const columns = schema.fields.map((field, i) => `c.${newValue(i)} AS ${table.engine.quoteName(field.name)}`)
  return `SELECT ${[...columns, ...more].join(', ')} FROM ${name} AS c`
}
