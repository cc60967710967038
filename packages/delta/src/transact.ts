import type { AddFile } from './actions.ts'
import type { CommitOutcome, CommitRequest } from './commit.ts'
import { DeltaError } from './errors.ts'
import type { DataFile, ParquetEngine } from './parquet-engine.ts'
import { filesToScan, openScan } from './scan.ts'
import type { Snapshot } from './snapshot.ts'
import type { Storage } from './storage.ts'

/** What an operation needs of a table. */
export interface TableAccess {
  readonly storage: Storage
  readonly engine: ParquetEngine
  snapshot(): Promise<Snapshot>
  commit(request: CommitRequest): Promise<CommitOutcome>
}

/** What an operation that changes rows did. */
export interface OperationResult {
  /** `unchanged` when there was nothing to do, `skipped` when its transaction was applied before. */
  readonly kind: 'committed' | 'unchanged' | 'skipped'
  readonly version: number
  readonly metrics: Readonly<Record<string, number>>
}

const ATTEMPTS_MAX = 30

/**
 * Computes a change from the newest version and commits it; where another commit came between that it must see, computes
 * it again. `plan` gives null when there is nothing to do. Files of a change that was not committed are removed. Throws
 * `DELTA_CONTENTION` after 30 conflicts.
 */
export async function transact(
  table: TableAccess,
  plan: (snapshot: Snapshot) => Promise<CommitRequest | null>,
): Promise<OperationResult> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const snapshot = await table.snapshot()
    const request = await plan(snapshot)
    if (request === null) return { kind: 'unchanged', version: snapshot.version, metrics: {} }
    const outcome = await commitOrDiscard(table, request)
    if (outcome.kind !== 'conflict') {
      const { kind, version } = outcome
      return { kind, version, metrics: kind === 'committed' ? (request.operationMetrics ?? {}) : {} }
    }
  }
  throw new DeltaError(
    'DELTA_CONTENTION',
    `Other writers changed what this one read ${ATTEMPTS_MAX} times in a row; try again later`,
  )
}

/** Writes the rows of a SELECT as data files of a snapshot's table. */
export function writeRows(
  table: Pick<TableAccess, 'storage' | 'engine'>,
  snapshot: Snapshot,
  selectSql: string,
): Promise<DataFile[]> {
  return table.engine.write(selectSql, {
    table: snapshot,
    localRoot: table.storage.localPath(''),
    content: 'rows',
  })
}

/** Writes the rows of a SELECT, which say what became of them in `_change_type`, as change data files. */
export function writeChanges(
  table: Pick<TableAccess, 'storage' | 'engine'>,
  snapshot: Snapshot,
  selectSql: string,
): Promise<DataFile[]> {
  return table.engine.write(selectSql, {
    table: snapshot,
    localRoot: table.storage.localPath(''),
    content: 'changes',
  })
}

/** Removes files of a change that is not to be committed. */
export async function discard(
  { storage }: Pick<TableAccess, 'storage'>,
  files: readonly DataFile[],
): Promise<void> {
  for (const { path } of files) await storage.delete(path)
}

/** Rows of some files of a snapshot, as text for FROM, with their position. */
export async function relationWithPosition(
  table: TableAccess,
  snapshot: Snapshot,
  files: readonly AddFile[] = filesToScan(snapshot),
): Promise<{ readonly sql: string; readonly byLocalPath: ReadonlyMap<string, AddFile> }> {
  const scan = await openScan(table.storage, snapshot, { files, withPosition: true })
  const byLocalPath = new Map(
    scan.files.flatMap(({ localPath }, i) => {
      const file = files[i]
      return file === undefined ? [] : [[localPath, file] as const]
    }),
  )
  return { sql: await table.engine.relation(scan), byLocalPath }
}

/** The column list of the table, by name, for a SELECT over `relationWithPosition`. */
export function columnList(table: TableAccess, snapshot: Snapshot, prefix = ''): string {
  return snapshot.schema.fields.map(({ name }) => `${prefix}${table.engine.quoteName(name)}`).join(', ')
}

async function commitOrDiscard(table: TableAccess, request: CommitRequest): Promise<CommitOutcome> {
  const written = [...request.add, ...(request.changes ?? [])]
  try {
    const outcome = await table.commit(request)
    if (outcome.kind !== 'committed') await discard(table, written)
    return outcome
  } catch (error) {
    // After an outcome that is not known the commit may stand, and name the files.
    if (!(error instanceof DeltaError && error.code === 'DELTA_OUTCOME_UNKNOWN'))
      await discard(table, written).catch(() => {})
    throw error
  }
}
