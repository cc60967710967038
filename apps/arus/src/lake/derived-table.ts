import type { AddFile, Snapshot } from '@arus/delta'
import { ArusError } from '../errors.ts'
import type { Computation, Compute } from './computation.ts'
import { rowCountOf } from './file-facts.ts'
import { type FileChanges, follow } from './table-changes.ts'
import type { TableName } from './table-names.ts'

/** How a derived table is brought up to its sources. */
export interface RefineOptions {
  /**
   * A table is computed anew when more than this share of its source's rows changed: then that costs less than looking at
   * changes. Default 0.2; 0 always computes anew where anything changed, `Infinity` never where changes can be told.
   */
  readonly anewAboveShare?: number
  /** Computes every table anew, whatever it says it stands for. */
  readonly isRebuild?: boolean
  /** Where it is computed. Default DuckDB in this process. */
  readonly compute?: Compute | undefined
  /** Told before work on a table begins. */
  readonly onTable?: (table: TableName) => void
}

/** What was done to one table. */
export interface RefinedTable {
  readonly table: TableName
  /** `current`: it stood for its sources already; `unchanged`: they changed in nothing that shows here. */
  readonly kind: 'current' | 'unchanged' | 'changed' | 'anew'
  readonly rowCount: number
  readonly sizeBytes: number
}

/** A commit to a derived table, as a plan. */
export interface Derivation {
  readonly table: TableName
  /** The version it was computed from: another writer since then makes it void. */
  readonly snapshot: Snapshot
  /** Versions of its sources that it stands for afterwards. */
  readonly sources: Readonly<Partial<Record<TableName, number>>>
  /** What else it says of itself afterwards. */
  readonly states?: ReturnType<typeof follow>
  /** What is replaced: everything, some dates, or nothing. */
  readonly replace: 'all' | readonly string[]
  readonly selects: readonly string[]
  /** Whether the rows were computed from the sources as a whole, not from what changed. */
  readonly isAnew: boolean
}

const ANEW_ABOVE_SHARE = 0.2

/** Whether so much of a source came or went that looking at the changes costs more than computing anew, as far as files tell. */
export function isMostlyNew(changes: FileChanges, source: Snapshot, options: RefineOptions): boolean {
  // Files that are put together come and go with the same rows.
  const changedCount = Math.abs(rowsOf(changes.added) - rowsOf(changes.removed))
  const isAnyTooMuch = options.anewAboveShare === 0 && changes.added.length + changes.removed.length > 0
  return isAnyTooMuch || isTooMuch(changedCount, source, options)
}

/** The same for rows that were counted. */
export function isTooMuch(changedCount: number, source: Snapshot, options: RefineOptions): boolean {
  return changedCount > (options.anewAboveShare ?? ANEW_ABOVE_SHARE) * rowsOf(source.files.values())
}

function rowsOf(files: Iterable<AddFile>): number {
  return [...files].reduce((total, file) => total + rowCountOf(file), 0)
}

/**
 * Commits rows together with the versions of the sources they stand for, the one that matters most first, so that a crash leaves both or neither. Throws when another
 * process wrote the table meanwhile; nothing is lost then, the next refinement starts from what it finds.
 */
export async function commitDerivation(
  computation: Computation,
  { table, snapshot, sources, states = [], replace, selects, isAnew }: Derivation,
): Promise<RefinedTable> {
  const result = await computation.write(table, selects, {
    ...(replace === 'all'
      ? { mode: 'overwrite' }
      : replace.length > 0
        ? { mode: 'overwrite', partitions: replace.map((event_date) => ({ event_date })) }
        : { mode: 'append' }),
    readVersion: snapshot.version,
    transactions: [...follow(snapshot, sources), ...states],
    operation: 'REFINE',
  })
  if (result.kind === 'conflict') {
    throw new ArusError(
      'INTERNAL',
      `${table} was written by another process while it was being refined; try again`,
    )
  }
  const wrote = isAnew ? 'anew' : selects.length === 0 ? 'unchanged' : 'changed'
  const kind = result.kind === 'skipped' ? 'current' : wrote
  return { table, kind, rowCount: result.rowCount, sizeBytes: result.sizeBytes }
}

/** The result for a table that needs nothing. */
export function current(table: TableName): RefinedTable {
  return { table, kind: 'current', rowCount: 0, sizeBytes: 0 }
}
