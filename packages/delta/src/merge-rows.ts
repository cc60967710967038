import { randomUUID } from 'node:crypto'
import type { AddFile } from './actions.ts'
import { keepsChangeFeed } from './change-feed.ts'
import { changedField } from './change-rows.ts'
import type { CommitRequest } from './commit.ts'
import { DeltaError } from './errors.ts'
import {
  DELETED,
  fillTable,
  INSERTED,
  newValue,
  UPDATED,
  withTemporaryTable,
  writeRowChanges,
} from './row-changes.ts'
import { SCAN_FILE, SCAN_ROW } from './scan.ts'
import type { Snapshot } from './snapshot.ts'
import {
  type OperationResult,
  relationWithPosition,
  type TableAccess,
  transact,
  writeRows,
} from './transact.ts'
import { fieldNamed } from './type-assignment.ts'

/** Columns to SQL expressions over `target` and `source`; `all` takes the source's columns of the same names. */
export type Assignments = Readonly<Record<string, string>> | 'all'

export type MatchedClause =
  | { readonly update: Assignments; readonly and?: string }
  | { readonly delete: true; readonly and?: string }

export interface Merge {
  /** A SELECT; named `source` in expressions. */
  readonly source: string
  /** Which source row belongs to which target row: a condition over `target` and `source`. */
  readonly on: string
  /** For rows that match; the first clause whose `and` is true counts. */
  readonly whenMatched?: readonly MatchedClause[]
  /** For source rows that match none. */
  readonly whenNotMatched?: readonly { readonly insert: Assignments; readonly and?: string }[]
  /** For target rows that match none. */
  readonly whenNotMatchedBySource?: readonly MatchedClause[]
}

/** Temporary tables of one merge. */
interface Names {
  readonly source: string
  readonly pairs: string
}

/**
 * Updates, deletes and inserts by comparing with the rows of a source, as SQL's MERGE does. Copy on write. Throws
 * `DELTA_MERGE_AMBIGUOUS` when two source rows would change one target row.
 */
export function mergeRows(table: TableAccess, merge: Merge): Promise<OperationResult> {
  return transact(table, async (snapshot) => {
    const id = randomUUID().slice(0, 8)
    const names = { source: `delta_source_${id}`, pairs: `delta_pairs_${id}` }
    try {
      return await planMerge(table, snapshot, { merge, names })
    } finally {
      await table.engine.rows(`DROP TABLE IF EXISTS ${names.pairs}`)
      await table.engine.rows(`DROP TABLE IF EXISTS ${names.source}`)
    }
  })
}

interface Context {
  readonly merge: Merge
  readonly names: Names
}

async function planMerge(
  table: TableAccess,
  snapshot: Snapshot,
  context: Context,
): Promise<CommitRequest | null> {
  const { merge, names } = context
  const { engine } = table
  const target = await relationWithPosition(table, snapshot)
  // The source is run once: it may give other rows, or the same in another order, the second time.
  await engine.rows(
    `CREATE TEMP TABLE ${names.source} AS SELECT *, row_number() OVER () AS __delta_source FROM (${merge.source})`,
  )
  await engine.rows(
    `CREATE TEMP TABLE ${names.pairs} AS SELECT target.${SCAN_FILE}, target.${SCAN_ROW}, source.__delta_source,
       ${actionOf(merge.whenMatched)} AS action
     FROM ${target.sql} AS target JOIN ${names.source} AS source ON (${merge.on})`,
  )
  await assertUnambiguous(table, context)
  const touched = await touchedFiles(table, context, target)
  const counts = await countsOf(table, context)
  const written = await writeMerged(table, snapshot, { context, touched })
  if (written.add.length === 0 && touched.length === 0) return null
  return {
    ...written,
    remove: touched,
    readVersion: snapshot.version,
    operation: 'MERGE',
    operationParameters: { predicate: JSON.stringify([merge.on]) },
    operationMetrics: {
      ...counts,
      numTargetFilesAdded: written.add.length,
      numTargetFilesRemoved: touched.length,
      ...(written.changes ? { numTargetChangeFilesAdded: written.changes.length } : {}),
    },
  }
}

/** Index of the clause that applies to a row, or null. */
function actionOf(clauses: readonly { readonly and?: string }[] | undefined): string {
  if (!clauses || clauses.length === 0) return 'CAST(NULL AS INTEGER)'
  const cases = clauses.map(({ and }, i) => `WHEN (${and ?? 'true'}) THEN ${i}`)
  return `CASE ${cases.join(' ')} END`
}

async function assertUnambiguous({ engine }: TableAccess, { merge, names }: Context): Promise<void> {
  const [only, ...others] = merge.whenMatched ?? []
  // Deleting twice is deleting once.
  if (only && 'delete' in only && only.and === undefined && others.length === 0) return
  const [row] = await engine.rows(
    `SELECT 1 AS found FROM ${names.pairs} WHERE action IS NOT NULL GROUP BY ${SCAN_FILE}, ${SCAN_ROW} HAVING count(*) > 1 LIMIT 1`,
  )
  if (row !== undefined) {
    throw new DeltaError(
      'DELTA_MERGE_AMBIGUOUS',
      'More than one source row would change the same row of the table; make the source unique by the columns of the condition',
    )
  }
}

async function touchedFiles(
  { engine }: TableAccess,
  { merge, names }: Context,
  target: { readonly sql: string; readonly byLocalPath: ReadonlyMap<string, AddFile> },
): Promise<AddFile[]> {
  const bySource = actionOf(merge.whenNotMatchedBySource)
  const unmatched =
    merge.whenNotMatchedBySource === undefined
      ? ''
      : ` UNION SELECT DISTINCT target.${SCAN_FILE} FROM ${target.sql} AS target
          ANTI JOIN ${names.pairs} AS p ON p.${SCAN_FILE} = target.${SCAN_FILE} AND p.${SCAN_ROW} = target.${SCAN_ROW}
          WHERE (${bySource}) IS NOT NULL`
  const rows = await engine.rows(
    `SELECT DISTINCT ${SCAN_FILE} FROM ${names.pairs} WHERE action IS NOT NULL${unmatched}`,
  )
  return rows.flatMap((row) => target.byLocalPath.get(String(row[SCAN_FILE])) ?? [])
}

interface Touched {
  readonly context: Context
  readonly touched: readonly AddFile[]
}

/** Where nothing is rewritten the feed is told by the file that is added, and needs none of its own. */
async function writeMerged(
  table: TableAccess,
  snapshot: Snapshot,
  { context, touched }: Touched,
): Promise<Pick<CommitRequest, 'add' | 'changes'>> {
  const inserts = insertsOf(table, snapshot, context).map(
    ({ columns, from }) => `SELECT ${asNamed(table, snapshot, columns)} FROM ${from}`,
  )
  if (touched.length === 0) {
    return { add: inserts.length === 0 ? [] : await writeRows(table, snapshot, inserts.join(' UNION ALL ')) }
  }
  if (keepsChangeFeed(snapshot)) return writeMergedWithFeed(table, snapshot, { context, touched })
  const { columns, from, isDeleted } = await changedTarget(table, snapshot, { context, touched })
  const changed = `SELECT ${asNamed(table, snapshot, columns)} FROM ${from} WHERE NOT ${isDeleted}`
  return { add: await writeRows(table, snapshot, [changed, ...inserts].join(' UNION ALL ')) }
}

function writeMergedWithFeed(table: TableAccess, snapshot: Snapshot, { context, touched }: Touched) {
  return withTemporaryTable(table, async (name) => {
    const { columns, from, isDeleted } = await changedTarget(table, snapshot, { context, touched })
    const change = `CASE WHEN ${isDeleted} THEN ${DELETED} ELSE ${UPDATED} END`
    const values = (of: readonly string[]) => of.map((value, i) => `${value} AS ${newValue(i)}`).join(', ')
    const selects = [
      `SELECT target.${SCAN_FILE}, target.${SCAN_ROW}, ${change} AS change, ${values(columns)} FROM ${from} WHERE action IS NOT NULL`,
      ...insertsOf(table, snapshot, context).map(
        (insert) => `SELECT NULL, NULL, ${INSERTED}, ${values(insert.columns)} FROM ${insert.from}`,
      ),
    ]
    await fillTable(table, name, selects.join(' UNION ALL '))
    return writeRowChanges(table, snapshot, { changes: { name, hasNewValues: true }, files: touched })
  })
}

function asNamed({ engine }: TableAccess, { schema }: Snapshot, columns: readonly string[]): string {
  return columns.map((value, i) => `${value} AS ${engine.quoteName(schema.fields[i]?.name ?? '')}`).join(', ')
}

/** Rows to come: values of the table's columns in its order, and where they are from. */
interface Rows {
  readonly columns: readonly string[]
  /** For FROM, a condition included. */
  readonly from: string
}

/** What becomes of the rows of files that are rewritten; `action` is null for those that stay as they are. */
async function changedTarget(
  table: TableAccess,
  snapshot: Snapshot,
  { context, touched }: Touched,
): Promise<Rows & { readonly isDeleted: string }> {
  const { merge, names } = context
  const { sql } = await relationWithPosition(table, snapshot, touched)
  const matched = merge.whenMatched ?? []
  const bySource = merge.whenNotMatchedBySource ?? []
  const action = `CASE WHEN p.action IS NOT NULL THEN p.action WHEN p.is_matched THEN NULL ELSE ${bySource.length === 0 ? 'NULL' : `${matched.length} + ${actionOf(bySource)}`} END`
  const clauses = [...matched, ...bySource]
  const deletes = clauses.flatMap((clause, i) => ('delete' in clause ? [i] : []))
  const columns = snapshot.schema.fields.map(({ name }) => {
    const quoted = table.engine.quoteName(name)
    const cases = clauses.flatMap((clause, i) => {
      const value =
        'update' in clause ? assigned(table, snapshot, { assignments: clause.update, name }) : null
      return value === null ? [] : [`WHEN ${i} THEN (${value})`]
    })
    return cases.length === 0
      ? `target.${quoted}`
      : `CASE action ${cases.join(' ')} ELSE target.${quoted} END`
  })
  // One row of the pairs for each target row: the one that changes it, or any that says it matched.
  const chosen = `(SELECT ${SCAN_FILE}, ${SCAN_ROW}, true AS is_matched, arg_min(__delta_source, coalesce(action, 1000000)) AS __delta_source, min(action) AS action FROM ${names.pairs} GROUP BY ${SCAN_FILE}, ${SCAN_ROW})`
  const from = `(SELECT target, source, ${action} AS action FROM ${sql} AS target
      LEFT JOIN ${chosen} AS p ON p.${SCAN_FILE} = target.${SCAN_FILE} AND p.${SCAN_ROW} = target.${SCAN_ROW}
      LEFT JOIN ${names.source} AS source ON source.__delta_source = p.__delta_source)`
  return { columns, from, isDeleted: `coalesce(action IN (${[-1, ...deletes].join(', ')}), false)` }
}

/** Source rows that match nothing, by the clause that takes them. */
function insertsOf(table: TableAccess, snapshot: Snapshot, { merge, names }: Context): Rows[] {
  const clauses = merge.whenNotMatched ?? []
  const unmatched = `(SELECT source, ${actionOf(clauses)} AS action FROM ${names.source} AS source ANTI JOIN ${names.pairs} AS p ON p.__delta_source = source.__delta_source)`
  return clauses.map((clause, i) => {
    const columns = snapshot.schema.fields.map(({ name }) => {
      const value = assigned(table, snapshot, { assignments: clause.insert, name })
      return value === null ? 'NULL' : `(${value})`
    })
    return { columns, from: `${unmatched} WHERE action = ${i}` }
  })
}

/** The value a clause gives a column; null when it gives none. */
function assigned(
  table: TableAccess,
  snapshot: Snapshot,
  { assignments, name }: { readonly assignments: Assignments; readonly name: string },
): string | null {
  if (assignments === 'all') return `source.${table.engine.quoteName(name)}`
  for (const column of Object.keys(assignments)) changedField(snapshot, column)
  const key = Object.keys(assignments).find(
    (column) => fieldNamed(snapshot.schema.fields, column)?.name === name,
  )
  return key === undefined ? null : (assignments[key] ?? null)
}

async function countsOf({ engine }: TableAccess, { merge, names }: Context): Promise<Record<string, number>> {
  const updates = (merge.whenMatched ?? []).flatMap((clause, i) => ('update' in clause ? [i] : []))
  const [row] = await engine.rows(
    `SELECT count(DISTINCT (${SCAN_FILE}, ${SCAN_ROW})) FILTER (action IN (${[-1, ...updates].join(', ')})) AS updated,
       count(DISTINCT (${SCAN_FILE}, ${SCAN_ROW})) FILTER (action IS NOT NULL AND action NOT IN (${[-1, ...updates].join(', ')})) AS deleted
     FROM ${names.pairs}`,
  )
  return { numTargetRowsUpdated: Number(row?.updated ?? 0), numTargetRowsDeleted: Number(row?.deleted ?? 0) }
}
