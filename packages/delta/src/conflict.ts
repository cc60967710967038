import type { Action, AddFile } from './actions.ts'
import { fileKey } from './snapshot.ts'

/**
 * `Serializable`: as if commits had come one after another in the order of their versions. `WriteSerializable`: blind
 * appends that came between are allowed to count as later. The table's property `delta.isolationLevel` says which.
 */
export type IsolationLevel = 'Serializable' | 'WriteSerializable'

/** What a commit rests on, and changes. */
export interface Change {
  /** Files read, by `fileKey`; `all` when the whole table was. */
  readonly readFiles: ReadonlySet<string> | 'all'
  /** True for a file which, had it been there, would have been read. */
  readonly wouldRead: (file: AddFile) => boolean
  /** Files removed, by `fileKey`. */
  readonly removed: ReadonlySet<string>
  /** Changes no data (compaction): files added meanwhile do not matter. */
  readonly isRearrangement: boolean
  readonly changesMetadata: boolean
  readonly changesProtocol: boolean
  /** Applications whose last version was looked at. */
  readonly appIds: ReadonlySet<string>
  readonly domains: ReadonlySet<string>
}

/** Why a commit cannot follow another. The names are those other engines give these cases. */
export type ConflictReason =
  | 'protocol-changed'
  | 'metadata-changed'
  | 'concurrent-append'
  | 'concurrent-delete-read'
  | 'concurrent-delete-delete'
  | 'concurrent-transaction'
  | 'concurrent-domain-metadata'

/** Why a change cannot be committed after another writer's commit that it has not seen; null when it can. */
export function conflictWith(
  winner: readonly Action[],
  change: Change,
  isolation: IsolationLevel,
): ConflictReason | null {
  const protocol = winner.some((action) => action.protocol)
  if (protocol && (change.changesProtocol || change.changesMetadata)) return 'protocol-changed'
  if (winner.some((action) => action.metaData)) return 'metadata-changed'
  if (protocol && readsAnything(change)) return 'protocol-changed'
  const removed = winner.flatMap(({ remove }) => (remove ? [fileKey(remove)] : []))
  if (removed.some((key) => change.removed.has(key))) return 'concurrent-delete-delete'
  if (removed.some((key) => change.readFiles === 'all' || change.readFiles.has(key)))
    return 'concurrent-delete-read'
  if (addedMatters(winner, change, isolation)) return 'concurrent-append'
  if (winner.some(({ txn }) => txn && change.appIds.has(txn.appId))) return 'concurrent-transaction'
  if (winner.some(({ domainMetadata }) => domainMetadata && change.domains.has(domainMetadata.domain)))
    return 'concurrent-domain-metadata'
  return null
}

function addedMatters(winner: readonly Action[], change: Change, isolation: IsolationLevel): boolean {
  if (change.isRearrangement) return false
  const info = winner.find((action) => action.commitInfo)?.commitInfo
  if (isolation === 'WriteSerializable' && info?.isBlindAppend === true) return false
  return winner.some(({ add }) => add && change.wouldRead(add))
}

function readsAnything(change: Change): boolean {
  return change.readFiles === 'all' || change.readFiles.size > 0 || change.removed.size > 0
}
