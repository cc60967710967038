import { randomUUID } from 'node:crypto'
import { type Action, parseCommit, serializeCommit } from './actions.ts'
import { type AppendOptions, appendRows, type OverwriteOptions, overwriteRows } from './append-rows.ts'
import { assertNoFeedColumns, keepsChangeFeed } from './change-feed.ts'
import { deleteRows, updateRows } from './change-rows.ts'
import { type ChangeRange, changesRelation } from './changes.ts'
import { writeCheckpoint } from './checkpoint.ts'
import {
  assertAllowed,
  type CommitOutcome,
  type CommitRequest,
  commitActions,
  conflictSince,
  creationActions,
  isolationOf,
  wasApplied,
} from './commit.ts'
import { type ErasedHistory, eraseHistory } from './erase-history.ts'
import { DeltaError } from './errors.ts'
import type { Filter } from './filter.ts'
import { type HistoryEntry, readHistory, versionAtTime } from './history.ts'
import { loadSnapshot, refreshSnapshot } from './load-snapshot.ts'
import { removeOldLog } from './log-cleanup.ts'
import { commitPath, LOG_FOLDER, nameBefore, parseLogName } from './log-names.ts'
import { stepsTo } from './log-segment.ts'
import { type Merge, mergeRows } from './merge-rows.ts'
import { type OptimizeOptions, optimizeTable } from './optimize.ts'
import type { DataFile, ParquetEngine } from './parquet-engine.ts'
import { restoreTable } from './restore.ts'
import { filesToScan, openScan } from './scan.ts'
import type { StructField, StructType } from './schema.ts'
import type { Snapshot } from './snapshot.ts'
import type { Storage } from './storage.ts'
import { addColumns, addConstraint, dropConstraint, protocolFor, setProperties } from './table-metadata.ts'
import { type OperationResult, writeRows } from './transact.ts'
import { unneededFiles, type VacuumOptions } from './vacuum.ts'

export interface CreateOptions {
  readonly schema: StructType
  readonly partitionColumns?: readonly string[]
  /** Table properties (`delta.…`) and others. */
  readonly properties?: Readonly<Record<string, string>>
  readonly name?: string
  readonly description?: string
}

export interface TableOptions {
  readonly storage: Storage
  readonly engine: ParquetEngine
  readonly now?: () => number
}

/** Which version: a number, or the newest committed at or before a time (UTC ms). */
export type When = { readonly version: number } | { readonly timestampMs: number }

export interface ReadOptions {
  /** The newest unless given. */
  readonly snapshot?: Snapshot
  /** Leaves out files that hold no row which satisfies these; rows of the others are all there. */
  readonly where?: readonly Filter[]
}

/** Rows of a table as text for FROM of the engine's SQL, and the files on this machine's disk that they come from. */
export interface Relation {
  readonly sql: string
  readonly version: number
  readonly files: readonly string[]
}

const ATTEMPTS_MAX = 100
const CHECKPOINT_INTERVAL = 10

/** A Delta table: reads snapshots, commits changes, writes checkpoints. Rows are read and written by the engine. */
export class DeltaTable {
  readonly storage: Storage
  readonly engine: ParquetEngine
  readonly #now: () => number
  #snapshot: Snapshot

  private constructor(options: TableOptions, snapshot: Snapshot) {
    this.storage = options.storage
    this.engine = options.engine
    this.#now = options.now ?? Date.now
    this.#snapshot = snapshot
  }

  /** Makes a table at version 0. Throws `DELTA_EXISTS` when there is one, `DELTA_SCHEMA_INVALID`. */
  static async create(options: TableOptions, table: CreateOptions): Promise<DeltaTable> {
    const { schema, partitionColumns = [], properties = {} } = table
    assertPartitions(schema, partitionColumns)
    const nowMs = (options.now ?? Date.now)()
    const metadata = {
      id: randomUUID(),
      ...(table.name === undefined ? {} : { name: table.name }),
      ...(table.description === undefined ? {} : { description: table.description }),
      format: { provider: 'parquet', options: {} },
      schemaString: JSON.stringify(schema),
      partitionColumns,
      configuration: properties,
      createdTime: nowMs,
    }
    const protocol = protocolFor(schema, properties)
    if (keepsChangeFeed({ protocol, metadata })) assertNoFeedColumns(schema)
    const actions = creationActions({ protocol, metadata }, nowMs)
    const isThere = await DeltaTable.exists(options.storage)
    if (isThere || (await options.storage.putIfAbsent(commitPath(0), serializeCommit(actions))) === 'exists')
      throw new DeltaError(
        'DELTA_EXISTS',
        `A table is at ${options.storage.location} already; open it instead`,
      )
    return DeltaTable.open(options)
  }

  /**
   * The table at its newest version. Throws `DELTA_NOT_A_TABLE`, `DELTA_FEATURE_UNSUPPORTED`, `DELTA_SCHEMA_INVALID`,
   * `DELTA_LOG_GAP`, `DELTA_LOG_CORRUPT`.
   */
  static async open(options: TableOptions): Promise<DeltaTable> {
    const snapshot = await loadSnapshot(options.storage)
    await options.storage.removeStale()
    return new DeltaTable(options, snapshot)
  }

  static async exists(storage: Storage): Promise<boolean> {
    return (await storage.listNames(LOG_FOLDER)).some((name) => {
      const { kind } = parseLogName(name)
      return kind === 'commit' || kind === 'checkpoint'
    })
  }

  /** The newest snapshot that this object has seen, as of opening it at least: without looking again, which `snapshot` does. */
  get known(): Snapshot {
    return this.#snapshot
  }

  /** The newest snapshot: what is known plus the commits since. */
  async snapshot(): Promise<Snapshot> {
    const newest = await refreshSnapshot(this.storage, this.#snapshot)
    // Another call may have come further meanwhile.
    if (newest.version > this.#snapshot.version) this.#snapshot = newest
    return this.#snapshot
  }

  /** Time travel. Throws `DELTA_VERSION_UNKNOWN` for what the log no longer reaches, or not yet. */
  async at(when: When): Promise<Snapshot> {
    const version =
      'version' in when
        ? when.version
        : await versionAtTime(this.storage, await this.snapshot(), when.timestampMs)
    return version === this.#snapshot.version ? this.#snapshot : loadSnapshot(this.storage, version)
  }

  /** Newest first; `before` pages. */
  async history(limit = 20, before?: number): Promise<HistoryEntry[]> {
    return readHistory(this.storage, before === undefined ? { limit } : { limit, before })
  }

  /** The rows, for queries. */
  async relation(options: ReadOptions = {}): Promise<Relation> {
    const snapshot = options.snapshot ?? (await this.snapshot())
    const scan = await openScan(this.storage, snapshot, { files: filesToScan(snapshot, options.where) })
    const files = scan.files.map((file) => file.localPath)
    return { sql: await this.engine.relation(scan), version: snapshot.version, files }
  }

  /** The rows of a query, which says `{table}` for this table: all rows unless given. Values as JSON has them. */
  async rows(sql = 'SELECT * FROM {table}', options: ReadOptions = {}): Promise<Record<string, unknown>[]> {
    const relation = await this.relation(options)
    return this.engine.rows(sql.replaceAll('{table}', () => relation.sql))
  }

  /** What changed from version to version, as text for FROM; see `changesRelation`. */
  async changes(range: ChangeRange): Promise<string> {
    return changesRelation(this, await this.snapshot(), range)
  }

  /** Writes the rows of a SELECT as data files, for a `commit`. `engine` may be another than the table's. */
  async write(selectSql: string, engine: ParquetEngine = this.engine): Promise<DataFile[]> {
    return writeRows({ storage: this.storage, engine }, await this.snapshot(), selectSql)
  }

  append(selectSql: string, options: AppendOptions = {}): Promise<OperationResult> {
    return appendRows(this, selectSql, options)
  }

  overwrite(selectSql: string, options: OverwriteOptions = {}): Promise<OperationResult> {
    return overwriteRows(this, selectSql, options)
  }

  /** See `deleteRows`. */
  delete(where?: string): Promise<OperationResult> {
    return deleteRows(this, where)
  }

  /** See `updateRows`. */
  update(change: {
    readonly set: Readonly<Record<string, string>>
    readonly where?: string
  }): Promise<OperationResult> {
    return updateRows(this, change)
  }

  /** See `mergeRows`. */
  merge(merge: Merge): Promise<OperationResult> {
    return mergeRows(this, merge)
  }

  /** See `optimizeTable`. */
  optimize(options: OptimizeOptions = {}): Promise<OperationResult> {
    return optimizeTable(this, options)
  }

  /** See `restoreTable`. */
  async restore(when: When): Promise<OperationResult> {
    return restoreTable(this, await this.at(when))
  }

  addColumns(columns: readonly StructField[]): Promise<OperationResult> {
    return addColumns(this, columns)
  }

  setProperties(properties: Readonly<Record<string, string | null>>): Promise<OperationResult> {
    return setProperties(this, properties)
  }

  /** See `table-metadata.ts`. */
  addConstraint(constraint: { readonly name: string; readonly sql: string }): Promise<OperationResult> {
    return addConstraint(this, constraint)
  }

  dropConstraint(name: string): Promise<OperationResult> {
    return dropConstraint(this, name)
  }

  /** Removes `unneededFiles`, and returns their paths; with `isDryRun` nothing is removed. */
  async vacuum(options: VacuumOptions = {}): Promise<string[]> {
    const files = await unneededFiles(this.storage, await this.snapshot(), { nowMs: this.#now(), options })
    if (!options.isDryRun) for (const file of files) await this.storage.delete(file.path)
    return files.map((file) => file.path)
  }

  /** See `log-cleanup.ts`. */
  removeOldLog({ retentionMs }: { readonly retentionMs: number }): Promise<number> {
    return removeOldLog(this.storage, this.#now() - retentionMs)
  }

  /** Leaves the newest version as the only one, on the disk too; see `erase-history.ts`. */
  async eraseHistory(): Promise<ErasedHistory> {
    return eraseHistory(this, await this.snapshot(), this.#now())
  }

  /** Writes a checkpoint of a snapshot and points `_last_checkpoint` at it. */
  checkpoint(snapshot: Snapshot): Promise<void> {
    return writeCheckpoint(this, snapshot, this.#now())
  }

  /**
   * Publishes the data files, then commits, optimistically: on a race it looks at what came between and tries the next
   * version (see `conflict.ts`). Throws `DELTA_CONTENTION` after 100 lost races, `DELTA_OUTCOME_UNKNOWN` when the commit
   * is in the log but the store did not say that it will stay: a `transactions` entry makes trying again safe.
   */
  async commit(request: CommitRequest): Promise<CommitOutcome> {
    const files = [...request.add, ...(request.changes ?? [])]
    await this.storage.publish(files.map((file) => file.path))
    const txnId = randomUUID()
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const snapshot = await this.snapshot()
      assertAllowed(request, snapshot)
      if (wasApplied(request, snapshot)) return { kind: 'skipped', version: snapshot.version }
      const reason = await this.#conflict(request, snapshot)
      if (reason !== null) return { kind: 'conflict', version: snapshot.version, reason }
      const version = snapshot.version + 1
      if (
        await this.#publishCommit(version, commitActions(request, snapshot, { nowMs: this.#now(), txnId }))
      ) {
        await this.#checkpointIfDue(version)
        return { kind: 'committed', version }
      }
    }
    throw new DeltaError(
      'DELTA_CONTENTION',
      `Other writers won ${ATTEMPTS_MAX} races in a row; try again later`,
    )
  }

  async #conflict(request: CommitRequest, snapshot: Snapshot) {
    const { readVersion } = request
    if (readVersion === undefined || readVersion === snapshot.version) return null
    const names = await this.storage.listNames(LOG_FOLDER, nameBefore(readVersion + 1))
    const commits = names.filter((name) => parseLogName(name).kind === 'commit')
    const steps = stepsTo(commits, readVersion + 1, snapshot.version)
    // What came between can no longer be told.
    if (steps === null) return 'metadata-changed' as const
    const winners = await Promise.all(
      steps.map(async ({ path }) => parseCommit(await this.storage.read(path), path)),
    )
    return conflictSince(winners, request, isolationOf(snapshot))
  }

  /** False when another writer took the version. */
  async #publishCommit(version: number, actions: readonly Action[]): Promise<boolean> {
    const path = commitPath(version)
    const bytes = serializeCommit(actions)
    try {
      return (await this.storage.putIfAbsent(path, bytes)) === 'created'
    } catch (error) {
      if (!(error instanceof DeltaError && error.code === 'DELTA_OUTCOME_UNKNOWN')) throw error
      const there = await this.storage.read(path).catch(() => null)
      if (there === null || Buffer.compare(there, bytes) === 0) throw error
      return false
    }
  }

  /** A checkpoint only saves time: when it fails the commit stands, and the next one tries again. */
  async #checkpointIfDue(version: number): Promise<void> {
    const interval = Number(
      this.#snapshot.metadata.configuration['delta.checkpointInterval'] ?? CHECKPOINT_INTERVAL,
    )
    if (version % (interval > 0 ? interval : CHECKPOINT_INTERVAL) !== 0) return
    await this.snapshot()
      .then((snapshot) => (snapshot.version === version ? this.checkpoint(snapshot) : undefined))
      .catch(() => {})
  }
}

/** Throws `DELTA_SCHEMA_INVALID` for partition columns that are not there, and for columns that differ in case only. */
function assertPartitions(schema: StructType, partitionColumns: readonly string[]): void {
  const names = schema.fields.map(({ name }) => name)
  const missing = partitionColumns.filter((name) => !names.includes(name))
  if (missing.length > 0)
    throw new DeltaError(
      'DELTA_SCHEMA_INVALID',
      `Partition columns ${missing.join(', ')} are not in the schema`,
    )
  const seen = new Set(names.map((name) => name.toLowerCase()))
  if (seen.size < names.length)
    throw new DeltaError('DELTA_SCHEMA_INVALID', 'Two columns have the same name, letter case aside')
}
