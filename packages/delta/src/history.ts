import { parseCommit } from './actions.ts'
import { commitPath, LOG_FOLDER } from './log-names.ts'
import { commitsOf } from './log-segment.ts'
import type { Snapshot } from './snapshot.ts'
import type { Storage } from './storage.ts'
import { isEnabled } from './table-features.ts'
import { modificationTimes, type VersionTime, versionAt } from './timestamps.ts'

/** What a version of a table came from. */
export interface HistoryEntry {
  readonly version: number
  readonly timestampMs: number
  readonly operation: string
  readonly operationParameters: Readonly<Record<string, unknown>>
  readonly operationMetrics: Readonly<Record<string, string>>
  readonly isBlindAppend: boolean | null
  readonly engineInfo: string | null
}

/** Newest first, of the versions whose commits are still in the log, those before `before` where it is given. */
export async function readHistory(
  storage: Storage,
  { limit, before = Number.POSITIVE_INFINITY }: { readonly limit: number; readonly before?: number },
): Promise<HistoryEntry[]> {
  const commits = commitsOf(await storage.listNames(LOG_FOLDER)).filter(({ version }) => version < before)
  return Promise.all(
    commits
      .slice(-limit)
      .reverse()
      .map(({ version, path }) => entryOf(storage, version, path)),
  )
}

/**
 * The newest version committed at or before a time: by the times in the commits where the table has had them long
 * enough (Protocol, "In-Commit Timestamps"), else by those of the files. Throws `DELTA_VERSION_UNKNOWN`.
 */
export async function versionAtTime(
  storage: Storage,
  newest: Snapshot,
  timestampMs: number,
): Promise<number> {
  const { configuration } = newest.metadata
  const times = await modificationTimes(storage)
  if (!isEnabled(newest.metadata, 'delta.enableInCommitTimestamps')) return versionAt(times, timestampMs)
  const since = Number(configuration['delta.inCommitTimestampEnablementVersion'] ?? 0)
  const sinceMs = Number(configuration['delta.inCommitTimestampEnablementTimestamp'] ?? 0)
  const before = times.filter(({ version }) => version < since)
  if (timestampMs < sinceMs && before.length > 0) return versionAt(before, timestampMs)
  const after = times.filter(({ version }) => version >= since)
  return lastAtOrBefore(storage, {
    times: before.length > 0 ? [...before.slice(-1), ...after] : after,
    timestampMs,
  })
}

/** In-commit timestamps only grow, so that a binary search reads few commits. */
async function lastAtOrBefore(
  storage: Storage,
  { times, timestampMs }: { readonly times: readonly VersionTime[]; readonly timestampMs: number },
): Promise<number> {
  let low = 0
  let high = times.length
  const known = new Map<number, VersionTime>()
  while (low < high) {
    const middle = (low + high) >>> 1
    const version = times[middle]?.version ?? 0
    const entry = await entryOf(storage, version, commitPath(version))
    known.set(middle, { version, timestampMs: entry.timestampMs })
    if (entry.timestampMs <= timestampMs) low = middle + 1
    else high = middle
  }
  const found = times[low - 1]
  return found?.version ?? versionAt([...known.values()].slice(-1), timestampMs)
}

async function entryOf(storage: Storage, version: number, path: string): Promise<HistoryEntry> {
  const info = parseCommit(await storage.read(path), path).find((action) => action.commitInfo)?.commitInfo
  return {
    version,
    timestampMs: info?.inCommitTimestamp ?? info?.timestamp ?? 0,
    operation: info?.operation ?? 'UNKNOWN',
    operationParameters: info?.operationParameters ?? {},
    operationMetrics: info?.operationMetrics ?? {},
    isBlindAppend: info?.isBlindAppend ?? null,
    engineInfo: info?.engineInfo ?? null,
  }
}
