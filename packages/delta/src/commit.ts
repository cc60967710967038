import { randomUUID } from 'node:crypto'
import type { Action, AddFile, ChangeFile, CommitInfo, Metadata, Protocol, RemoveFile } from './actions.ts'
import { type Change, type ConflictReason, conflictWith, type IsolationLevel } from './conflict.ts'
import { DeltaError } from './errors.ts'
import { encodePath } from './log-paths.ts'
import type { DataFile } from './parquet-engine.ts'
import { fileKey, type Snapshot } from './snapshot.ts'
import { assertWritable, isEnabled } from './table-features.ts'

/** What a writer read before it wrote. */
export interface Reads {
  /** Files read; `all` when the whole table was. */
  readonly files: readonly AddFile[] | 'all'
  /** True for a file which would have been read too; every file unless given. */
  readonly wouldRead?: (file: AddFile) => boolean
}

export interface CommitRequest {
  readonly add: readonly DataFile[]
  /** Files to remove, of the version the change was computed from. */
  readonly remove?: readonly AddFile[]
  /** Files that were in the table once and are to be in it again. */
  readonly restore?: readonly AddFile[]
  /** Change data files, written beside. */
  readonly changes?: readonly DataFile[]
  readonly metadata?: Metadata
  readonly protocol?: Protocol
  /** The version the change was computed from; absent for blind appends, which no other commit can disturb. */
  readonly readVersion?: number
  /** What was read of that version; everything unless said otherwise. */
  readonly reads?: Reads
  /** The rows of the table are the same before and after. */
  readonly isRearrangement?: boolean
  /** Makes the commit idempotent: each application's version only grows. */
  readonly transactions?: readonly { readonly appId: string; readonly version: number }[]
  readonly operation: string
  readonly operationParameters?: Readonly<Record<string, unknown>>
  readonly operationMetrics?: Readonly<Record<string, number>>
}

/** What became of a commit. */
export type CommitOutcome =
  | { readonly kind: 'committed'; readonly version: number }
  /** A transaction named was applied before, by this or another process; nothing was written. */
  | { readonly kind: 'skipped'; readonly version: number }
  /** Another commit since `readVersion` changed what this one rests on; read again and decide. */
  | { readonly kind: 'conflict'; readonly version: number; readonly reason: ConflictReason }

const ENGINE_INFO = 'Arus-Delta/0.1'

/** The table's isolation level; serialisable unless it says otherwise. */
export function isolationOf(snapshot: Snapshot): IsolationLevel {
  return snapshot.metadata.configuration['delta.isolationLevel'] === 'WriteSerializable'
    ? 'WriteSerializable'
    : 'Serializable'
}

/** What a request rests on and changes, for `conflictWith`. */
export function changeOf(request: CommitRequest): Change {
  const reads: Reads =
    request.reads ??
    (request.readVersion === undefined ? { files: [], wouldRead: () => false } : { files: 'all' })
  return {
    readFiles: reads.files === 'all' ? 'all' : new Set(reads.files.map(fileKey)),
    wouldRead: reads.wouldRead ?? (() => true),
    removed: new Set((request.remove ?? []).map(fileKey)),
    isRearrangement: request.isRearrangement ?? false,
    changesMetadata: request.metadata !== undefined,
    changesProtocol: request.protocol !== undefined,
    appIds: new Set(request.transactions?.map(({ appId }) => appId)),
    domains: new Set(),
  }
}

/** Why the commits since `readVersion` do not let the request follow; null when they do. */
export function conflictSince(
  winners: readonly (readonly Action[])[],
  request: CommitRequest,
  isolation: IsolationLevel,
): ConflictReason | null {
  const change = changeOf(request)
  for (const winner of winners) {
    const reason = conflictWith(winner, change, isolation)
    if (reason !== null) return reason
  }
  return null
}

/** True when a transaction of the request was applied before. */
export function wasApplied(request: CommitRequest, snapshot: Snapshot): boolean {
  return (request.transactions ?? []).some(
    ({ appId, version }) => (snapshot.transactions.get(appId)?.version ?? -1) >= version,
  )
}

/** Throws `DELTA_FEATURE_UNSUPPORTED` and `DELTA_APPEND_ONLY` where the table does not allow the change. */
export function assertAllowed(request: CommitRequest, snapshot: Snapshot): void {
  assertWritable(snapshot)
  const removes = (request.remove?.length ?? 0) > 0
  if (removes && !request.isRearrangement && isEnabled(snapshot.metadata, 'delta.appendOnly')) {
    throw new DeltaError(
      'DELTA_APPEND_ONLY',
      'The table is append-only (delta.appendOnly); nothing may be deleted or replaced',
    )
  }
}

/** The lines of the commit that makes `request` the version after `snapshot`. */
export function commitActions(
  request: CommitRequest,
  snapshot: Snapshot,
  { nowMs, txnId }: { readonly nowMs: number; readonly txnId: string },
): Action[] {
  const metadata = request.metadata ?? snapshot.metadata
  const inCommitTimestamp = isEnabled(metadata, 'delta.enableInCommitTimestamps')
    ? Math.max(nowMs, Math.floor(snapshot.timestampMs) + 1)
    : undefined
  const dataChange = request.isRearrangement !== true
  return [
    {
      commitInfo: commitInfo(request, { nowMs, txnId, inCommitTimestamp, isolation: isolationOf(snapshot) }),
    },
    ...(request.protocol ? [{ protocol: request.protocol }] : []),
    ...(request.metadata ? [{ metaData: request.metadata }] : []),
    ...(request.transactions ?? []).map((txn) => ({ txn: { ...txn, lastUpdated: nowMs } })),
    ...(request.remove ?? []).map((file) => ({ remove: removeOf(file, nowMs, dataChange) })),
    ...(request.restore ?? []).map((file) => ({ add: { ...file, dataChange } })),
    ...request.add.map((file) => ({ add: addOf(file, nowMs, dataChange) })),
    ...(request.changes ?? []).map((file) => ({ cdc: changeFileOf(file) })),
  ]
}

/** The first commit of a table. */
export function creationActions(
  { protocol, metadata }: { readonly protocol: Protocol; readonly metadata: Metadata },
  nowMs: number,
): Action[] {
  const inCommitTimestamp = isEnabled(metadata, 'delta.enableInCommitTimestamps') ? nowMs : undefined
  const request: CommitRequest = { add: [], operation: 'CREATE TABLE' }
  return [
    {
      commitInfo: commitInfo(request, {
        nowMs,
        txnId: randomUUID(),
        inCommitTimestamp,
        isolation: 'Serializable',
      }),
    },
    { protocol },
    { metaData: metadata },
  ]
}

function commitInfo(
  request: CommitRequest,
  facts: {
    readonly nowMs: number
    readonly txnId: string
    readonly inCommitTimestamp: number | undefined
    readonly isolation: IsolationLevel
  },
): CommitInfo {
  const { operation, operationParameters = {}, operationMetrics, readVersion } = request
  const isBlindAppend = readVersion === undefined && request.metadata === undefined
  return {
    // Protocol, "In-Commit Timestamps": first, where there is one.
    ...(facts.inCommitTimestamp === undefined ? {} : { inCommitTimestamp: facts.inCommitTimestamp }),
    timestamp: facts.nowMs,
    operation,
    operationParameters,
    ...(readVersion === undefined ? {} : { readVersion }),
    isolationLevel: facts.isolation,
    isBlindAppend,
    ...(operationMetrics === undefined ? {} : { operationMetrics: texts(operationMetrics) }),
    engineInfo: ENGINE_INFO,
    txnId: facts.txnId,
  }
}

function removeOf(file: AddFile, deletionTimestamp: number, dataChange: boolean): RemoveFile {
  return {
    path: file.path,
    deletionTimestamp,
    dataChange,
    extendedFileMetadata: true,
    partitionValues: file.partitionValues,
    size: file.size,
    ...(file.tags ? { tags: file.tags } : {}),
    ...(file.deletionVector ? { deletionVector: file.deletionVector } : {}),
  }
}

function addOf(file: DataFile, modificationTime: number, dataChange: boolean): AddFile {
  return {
    path: encodePath(file.path),
    partitionValues: file.partitionValues,
    size: file.sizeBytes,
    modificationTime,
    dataChange,
    stats: file.stats,
  }
}

function changeFileOf(file: DataFile): ChangeFile {
  return {
    path: encodePath(file.path),
    partitionValues: file.partitionValues,
    size: file.sizeBytes,
    dataChange: false,
  }
}

/** Other engines read metrics as texts. */
function texts(metrics: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, String(value)]))
}
