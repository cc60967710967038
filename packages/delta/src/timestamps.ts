import type { Action } from './actions.ts'
import { DeltaError } from './errors.ts'
import { commitPath, LOG_FOLDER, parseLogName } from './log-names.ts'
import type { Storage, StoredFile } from './storage.ts'

/**
 * When a version was committed, UTC ms: `inCommitTimestamp` where the commit has one (Protocol, "In-Commit
 * Timestamps"), else when its file was last modified; 0 when the commit is gone. `files` are those of the log, from that
 * version's on at least.
 */
export function commitTimestamp(
  files: readonly StoredFile[],
  version: number,
  actions: readonly Action[],
): number {
  const inCommit = actions.find((action) => action.commitInfo)?.commitInfo?.inCommitTimestamp
  if (typeof inCommit === 'number') return inCommit
  return files.find((file) => file.path === commitPath(version))?.modifiedMs ?? 0
}

/** A version and when it was committed. */
export interface VersionTime {
  readonly version: number
  readonly timestampMs: number
}

/**
 * The newest version committed at or before a time. Times of files are made to grow from version to version, as other
 * engines do: one that is not later than the one before counts a millisecond after it. Throws `DELTA_VERSION_UNKNOWN`.
 */
export function versionAt(times: readonly VersionTime[], timestampMs: number): number {
  let found: number | undefined
  let previousMs = Number.NEGATIVE_INFINITY
  for (const { version, timestampMs: modifiedMs } of times) {
    previousMs = Math.max(Math.floor(modifiedMs), previousMs + 1)
    if (previousMs > timestampMs) break
    found = version
  }
  if (found !== undefined) return found
  const oldest = times[0] ? new Date(times[0].timestampMs).toISOString() : 'unknown'
  throw new DeltaError(
    'DELTA_VERSION_UNKNOWN',
    `No version is as old as ${new Date(timestampMs).toISOString()}; the oldest is of ${oldest}`,
  )
}

/** Times at which the versions of the log were last modified. */
export async function modificationTimes(storage: Storage): Promise<VersionTime[]> {
  return (await storage.list(LOG_FOLDER)).flatMap(({ path, modifiedMs }) => {
    const file = parseLogName(path)
    return file.kind === 'commit' ? [{ version: file.version, timestampMs: modifiedMs }] : []
  })
}
