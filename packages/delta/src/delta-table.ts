import { randomUUID } from 'node:crypto'
import { type Action, type AddFile, parseCommit, type RemoveFile, serializeCommit } from './actions.ts'
import { DeltaError } from './errors.ts'
import { checkpointPath, commitPath, LAST_CHECKPOINT, LOG_FOLDER, parseLogName } from './log-names.ts'
import { commitsAfter, commitsOf, planSegment } from './log-segment.ts'
import type { ParquetEngine } from './parquet-engine.ts'
import type { StructType } from './schema.ts'
import { assertWritable, type Snapshot, SnapshotBuilder } from './snapshot.ts'
import type { Storage } from './storage.ts'

/** A data file that was written and published, not yet part of a version. */
export interface DataFile {
  /** Relative to the root, as on disk (not URI-encoded). */
  readonly path: string
  readonly sizeBytes: number
  readonly rowCount: number
  readonly partitionValues: Readonly<Record<string, string | null>>
  /** Content of `stats`; see `AddFile`. */
  readonly stats: Readonly<Record<string, unknown>>
}

export interface CreateOptions {
  readonly schema: StructType
  readonly partitionColumns?: readonly string[]
  readonly properties?: Readonly<Record<string, string>>
  readonly name?: string
  readonly description?: string
}

export interface CommitRequest {
  readonly add: readonly DataFile[]
  /** Files of `readVersion` to remove. */
  readonly remove?: readonly AddFile[]
  /** The version the change was computed from; absent for blind appends, which no other commit can disturb. */
  readonly readVersion?: number
  /** Makes the commit idempotent: each application's version only grows. */
  readonly transactions?: readonly { readonly appId: string; readonly version: number }[]
  readonly operation: string
  readonly operationParameters?: Readonly<Record<string, unknown>>
}

/** What became of a commit. */
export type CommitOutcome =
  | { readonly kind: 'committed'; readonly version: number }
  /** A transaction named was applied before, by this or another process; nothing was written. */
  | { readonly kind: 'skipped'; readonly version: number }
  /** Another commit since `readVersion` changed files, schema or protocol; read again and decide. */
  | { readonly kind: 'conflict'; readonly version: number }

export interface TableOptions {
  readonly storage: Storage
  readonly engine: ParquetEngine
  readonly now?: () => number
}

/** A row of `history()`. */
export interface HistoryEntry {
  readonly version: number
  readonly timestampMs: number
  readonly operation: string
}

const ENGINE_INFO = 'Arus/0.1'
const ATTEMPTS_MAX = 100
const CHECKPOINT_INTERVAL = 10
/** Removed files are remembered this long in checkpoints (Protocol, `delta.deletedFileRetentionDuration`). */
const TOMBSTONE_MS = 7 * 86_400_000

/** A Delta table: opens snapshots, commits changes, writes checkpoints. Data files are written by an engine beside it. */
export class DeltaTable {
  readonly storage: Storage
  readonly #engine: ParquetEngine
  readonly #now: () => number
  #snapshot: Snapshot

  private constructor(options: TableOptions, snapshot: Snapshot) {
    this.storage = options.storage
    this.#engine = options.engine
    this.#now = options.now ?? Date.now
    this.#snapshot = snapshot
  }

  /** Makes a table at version 0. Throws `DELTA_EXISTS` when there is one. */
  static async create(options: TableOptions, table: CreateOptions): Promise<DeltaTable> {
    const now = options.now ?? Date.now
    const createdTime = now()
    const actions: Action[] = [
      commitInfoOf('CREATE TABLE', { timestampMs: createdTime, isBlindAppend: true }),
      { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
      {
        metaData: {
          id: randomUUID(),
          ...(table.name === undefined ? {} : { name: table.name }),
          ...(table.description === undefined ? {} : { description: table.description }),
          format: { provider: 'parquet', options: {} },
          schemaString: JSON.stringify(table.schema),
          partitionColumns: table.partitionColumns ?? [],
          configuration: table.properties ?? {},
          createdTime,
        },
      },
    ]
    if ((await options.storage.putIfAbsent(commitPath(0), serializeCommit(actions))) === 'exists') {
      throw new DeltaError('DELTA_EXISTS', 'A table is there already; open it instead')
    }
    return DeltaTable.open(options)
  }

  /** The table at its newest version. Throws `DELTA_NOT_A_TABLE`, `DELTA_FEATURE_UNSUPPORTED`, `DELTA_LOG_GAP`, `DELTA_LOG_CORRUPT`. */
  static async open(options: TableOptions): Promise<DeltaTable> {
    return new DeltaTable(options, await load(options, await checkpointHint(options.storage)))
  }

  static async exists(storage: Storage): Promise<boolean> {
    return (await storage.list(LOG_FOLDER)).some((file) => parseLogName(file.path).kind !== 'other')
  }

  /** The newest snapshot: what is known plus the commits since. */
  async snapshot(): Promise<Snapshot> {
    const known = this.#snapshot
    const newer = await commitsAfter(this.storage, known.version)
    const last = newer.at(-1)
    if (last === undefined) return known
    const builder = new SnapshotBuilder(known)
    for (const commit of newer) builder.apply(parseCommit(await this.storage.read(commit.path), commit.path))
    const snapshot = builder.build(last.version, last.modifiedMs)
    // Another call may have come further meanwhile.
    if (snapshot.version > this.#snapshot.version) this.#snapshot = snapshot
    return this.#snapshot
  }

  /** Time travel. A timestamp gives the newest version committed at or before it. Throws `DELTA_VERSION_UNKNOWN`. */
  async at(when: { readonly version: number } | { readonly timestampMs: number }): Promise<Snapshot> {
    const version = 'version' in when ? when.version : await this.#versionAt(when.timestampMs)
    return load({ storage: this.storage, engine: this.#engine }, 0, version)
  }

  /** Newest first. */
  async history(limit = 20): Promise<HistoryEntry[]> {
    const commits = commitsOf(await this.storage.list(LOG_FOLDER))
      .slice(-limit)
      .reverse()
    return Promise.all(
      commits.map(async ({ version, path, modifiedMs }) => {
        const info = parseCommit(await this.storage.read(path), path).find(
          (action) => action.commitInfo,
        )?.commitInfo
        return {
          version,
          timestampMs: info?.timestamp ?? modifiedMs,
          operation: info?.operation ?? 'UNKNOWN',
        }
      }),
    )
  }

  /**
   * Publishes the data files, then commits, optimistically: on a race it looks at what came between and tries the next
   * version. Serializable for changes that state their `readVersion`. Throws `DELTA_CONTENTION` after 100 lost races.
   */
  async commit(request: CommitRequest): Promise<CommitOutcome> {
    await this.storage.publish(request.add.map((file) => file.path))
    const txnId = randomUUID()
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const snapshot = await this.snapshot()
      assertWritable(snapshot)
      const refusal = await this.#refusal(request, snapshot)
      if (refusal !== null) return { kind: refusal, version: snapshot.version }
      const version = snapshot.version + 1
      const actions = this.#actionsOf(request, txnId)
      if (await this.#publishCommit(version, actions, txnId)) {
        await this.#checkpointIfDue(version)
        return { kind: 'committed', version }
      }
    }
    throw new DeltaError(
      'DELTA_CONTENTION',
      `Other writers won ${ATTEMPTS_MAX} races in a row; try again later`,
    )
  }

  /** Writes a classic checkpoint of a snapshot and points `_last_checkpoint` at it. */
  async checkpoint(snapshot: Snapshot): Promise<void> {
    const actions: Action[] = [
      { protocol: snapshot.protocol },
      { metaData: snapshot.metadata },
      ...[...snapshot.transactions.values()].map((txn) => ({ txn })),
      ...[...snapshot.files.values()].map((add) => ({ add: { ...add, dataChange: false } })),
      ...[...snapshot.tombstones.values()]
        .filter((remove) => (remove.deletionTimestamp ?? 0) > this.#now() - TOMBSTONE_MS)
        .map((remove) => ({ remove: { ...remove, dataChange: false } })),
    ]
    const temporary = `${LOG_FOLDER}/.tmp-${randomUUID()}.checkpoint`
    await this.#engine.writeCheckpoint(this.storage.localPath(temporary), actions)
    try {
      await this.storage.putIfAbsent(checkpointPath(snapshot.version), await this.storage.read(temporary))
    } finally {
      await this.storage.delete(temporary)
    }
    const hint = JSON.stringify({ version: snapshot.version, size: actions.length })
    await this.storage.put(LAST_CHECKPOINT, new TextEncoder().encode(hint))
  }

  /**
   * Removes files that no version younger than `retentionMs` needs: tombstones past it, and files no version names that
   * are older than it. Returns their paths; with `isDryRun` nothing is removed.
   */
  async vacuum({
    retentionMs,
    isDryRun = false,
  }: {
    retentionMs: number
    isDryRun?: boolean
  }): Promise<string[]> {
    const snapshot = await this.snapshot()
    const beforeMs = this.#now() - retentionMs
    const needed = new Set([...snapshot.files.keys()].map(decodeURIComponent))
    for (const { path, deletionTimestamp } of snapshot.tombstones.values()) {
      if ((deletionTimestamp ?? 0) >= beforeMs) needed.add(decodeURIComponent(path))
    }
    const unneeded = (await this.storage.listData()).filter(
      (file) =>
        !needed.has(file.path) &&
        file.modifiedMs < beforeMs &&
        !/(^|\/)[._]/.test(file.path.replace(/_[^/]*=/g, '')),
    )
    if (!isDryRun) for (const file of unneeded) await this.storage.delete(file.path)
    return unneeded.map((file) => file.path)
  }

  /**
   * Removes commits and checkpoints that are older than a checkpoint which is itself older than `retentionMs`: versions
   * before it can no longer be read. Returns how many files went.
   */
  async removeOldLog({ retentionMs }: { readonly retentionMs: number }): Promise<number> {
    const files = (await this.storage.list(LOG_FOLDER)).map((file) => ({
      ...file,
      name: parseLogName(file.path),
    }))
    const beforeMs = this.#now() - retentionMs
    const oldCheckpoints = files.flatMap(({ name, modifiedMs }) =>
      name.kind === 'checkpoint' && name.partCount === 1 && modifiedMs < beforeMs ? [name.version] : [],
    )
    const keepFrom = Math.max(0, ...oldCheckpoints)
    const old = files.filter(({ name }) => name.kind !== 'other' && name.version < keepFrom)
    for (const { path } of old) await this.storage.delete(path)
    return old.length
  }

  async #refusal(request: CommitRequest, snapshot: Snapshot): Promise<'skipped' | 'conflict' | null> {
    const wasApplied = request.transactions?.some(
      ({ appId, version }) => (snapshot.transactions.get(appId)?.version ?? -1) >= version,
    )
    if (wasApplied) return 'skipped'
    const appendOnly = snapshot.metadata.configuration['delta.appendOnly'] === 'true'
    if (appendOnly && (request.remove?.length ?? 0) > 0) {
      throw new DeltaError(
        'DELTA_FEATURE_UNSUPPORTED',
        'The table is append-only (delta.appendOnly); nothing may be removed',
      )
    }
    if (request.readVersion === undefined || request.readVersion === snapshot.version) return null
    return (await this.#changedSince(request.readVersion)) ? 'conflict' : null
  }

  /** True when a commit after `version` changed data, schema or protocol. */
  async #changedSince(version: number): Promise<boolean> {
    for (const { path } of await commitsAfter(this.storage, version)) {
      const actions = parseCommit(await this.storage.read(path), path)
      if (
        actions.some(
          ({ add, remove, metaData, protocol }) => add?.dataChange || remove || metaData || protocol,
        )
      )
        return true
    }
    return false
  }

  #actionsOf(request: CommitRequest, txnId: string): Action[] {
    const timestampMs = this.#now()
    const removed = (request.remove ?? []).map(
      (file): RemoveFile => ({
        path: file.path,
        deletionTimestamp: timestampMs,
        dataChange: true,
        extendedFileMetadata: true,
        partitionValues: file.partitionValues,
        size: file.size,
      }),
    )
    const { operation, operationParameters = {} } = request
    return [
      commitInfoOf(operation, {
        timestampMs,
        txnId,
        operationParameters,
        isBlindAppend: request.readVersion === undefined,
      }),
      ...(request.transactions ?? []).map((txn) => ({ txn: { ...txn, lastUpdated: timestampMs } })),
      ...removed.map((remove) => ({ remove })),
      ...request.add.map((file) => ({ add: addOf(file, timestampMs) })),
    ]
  }

  /** False when another writer took the version. An error after the file may have appeared is resolved by reading it. */
  async #publishCommit(version: number, actions: readonly Action[], txnId: string): Promise<boolean> {
    const path = commitPath(version)
    try {
      return (await this.storage.putIfAbsent(path, serializeCommit(actions))) === 'created'
    } catch (error) {
      const there = await this.storage.read(path).catch(() => null)
      if (there === null) throw error
      return parseCommit(there, path).some((action) => action.commitInfo?.txnId === txnId)
    }
  }

  /** A checkpoint only saves time: when it fails the commit stands, and the next one tries again. */
  async #checkpointIfDue(version: number): Promise<void> {
    const { configuration } = this.#snapshot.metadata
    const interval = Number(configuration['delta.checkpointInterval'] ?? CHECKPOINT_INTERVAL)
    if (version % (interval > 0 ? interval : CHECKPOINT_INTERVAL) !== 0) return
    const snapshot = await this.snapshot()
    if (snapshot.version === version) await this.checkpoint(snapshot).catch(() => {})
  }

  async #versionAt(timestampMs: number): Promise<number> {
    const commits = commitsOf(await this.storage.list(LOG_FOLDER))
    const version = commits.filter((commit) => commit.modifiedMs <= timestampMs).at(-1)?.version
    if (version !== undefined) return version
    throw new DeltaError(
      'DELTA_VERSION_UNKNOWN',
      `No version is as old as ${new Date(timestampMs).toISOString()}; the oldest is of ${new Date(commits[0]?.modifiedMs ?? 0).toISOString()}`,
    )
  }
}

/** Builds a snapshot from checkpoint and commits; a hint that leads nowhere is ignored. */
async function load(options: TableOptions, startVersion: number, version?: number): Promise<Snapshot> {
  const { storage, engine } = options
  const plan = await planSegment(storage, startVersion, version).catch((error: unknown) => {
    if (startVersion === 0) throw error
    return planSegment(storage, 0, version)
  })
  if (plan.checkpointVersion === null && plan.commits[0]?.version !== 0) {
    if (startVersion > 0) return load(options, 0, version)
    throw new DeltaError(
      'DELTA_LOG_GAP',
      `The log begins at version ${plan.commits[0]?.version} and has no checkpoint`,
    )
  }
  const builder = new SnapshotBuilder()
  for (const path of plan.checkpointPaths) builder.apply(await engine.readCheckpoint(storage.localPath(path)))
  for (const { path } of plan.commits) builder.apply(parseCommit(await storage.read(path), path))
  return builder.build(plan.version, plan.commits.at(-1)?.modifiedMs ?? 0)
}

/** Version of the checkpoint `_last_checkpoint` names; 0 when it is missing or cannot be read, since it is only a hint. */
async function checkpointHint(storage: Storage): Promise<number> {
  try {
    const hint: unknown = JSON.parse(new TextDecoder().decode(await storage.read(LAST_CHECKPOINT)))
    const version = (hint as { readonly version?: unknown } | null)?.version
    return typeof version === 'number' && Number.isInteger(version) && version >= 0 ? version : 0
  } catch {
    return 0
  }
}

function addOf(file: DataFile, modificationTime: number): AddFile {
  return {
    path: file.path.split('/').map(encodeURIComponent).join('/').replaceAll('%3D', '='),
    partitionValues: file.partitionValues,
    size: file.sizeBytes,
    modificationTime,
    dataChange: true,
    stats: JSON.stringify(file.stats),
  }
}

function commitInfoOf(
  operation: string,
  info: {
    readonly timestampMs: number
    readonly isBlindAppend: boolean
    readonly txnId?: string
    readonly operationParameters?: Readonly<Record<string, unknown>>
  },
): Action {
  return {
    commitInfo: {
      timestamp: info.timestampMs,
      operation,
      operationParameters: info.operationParameters ?? {},
      isBlindAppend: info.isBlindAppend,
      engineInfo: ENGINE_INFO,
      ...(info.txnId === undefined ? {} : { txnId: info.txnId }),
    },
  }
}
