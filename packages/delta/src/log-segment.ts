import { DeltaError } from './errors.ts'
import { LOG_FOLDER, paddedVersion, parseLogName } from './log-names.ts'
import type { Storage, StoredFile } from './storage.ts'

/** A commit file of the log. */
export interface CommitFile {
  readonly version: number
  readonly path: string
  readonly modifiedMs: number
}

/** The plan for building a snapshot: which files to read, in order. Reading nothing else is needed. */
export interface LogSegment {
  readonly version: number
  /** Parts of the newest complete checkpoint at or below the version; empty when there is none. */
  readonly checkpointVersion: number | null
  readonly checkpointPaths: readonly string[]
  /** Commits after the checkpoint, without gaps. */
  readonly commits: readonly CommitFile[]
}

/**
 * Plans the snapshot at `version`, or the newest. `startVersion` is where the listing begins: the version of a
 * checkpoint that is known, or 0. Throws `DELTA_NOT_A_TABLE`, `DELTA_VERSION_UNKNOWN`, `DELTA_LOG_GAP`.
 */
export async function planSegment(
  storage: Storage,
  startVersion: number,
  version?: number,
): Promise<LogSegment> {
  const files = await storage.list(
    LOG_FOLDER,
    startVersion > 0 ? `${paddedVersion(startVersion - 1)}.json` : '',
  )
  const commits = commitsOf(files).filter((commit) => version === undefined || commit.version <= version)
  const checkpoint = newestCheckpoint(files, version)
  const after = commits.filter((commit) => commit.version > (checkpoint?.version ?? -1))
  const newest = after.at(-1)?.version ?? checkpoint?.version
  if (newest === undefined) {
    if (version !== undefined && commitsOf(files).length > 0) throw unknownVersion(version, files)
    throw new DeltaError(
      'DELTA_NOT_A_TABLE',
      `No Delta log (${LOG_FOLDER}/00000000000000000000.json) was found`,
    )
  }
  if (version !== undefined && newest !== version) throw unknownVersion(version, files)
  assertContiguous(after, (checkpoint?.version ?? -1) + 1)
  return {
    version: newest,
    checkpointVersion: checkpoint?.version ?? null,
    checkpointPaths: checkpoint?.paths ?? [],
    commits: after,
  }
}

/** Commits newer than a version that is known, for bringing a snapshot up to date. */
export async function commitsAfter(storage: Storage, version: number): Promise<CommitFile[]> {
  const commits = commitsOf(await storage.list(LOG_FOLDER, `${paddedVersion(version)}.json`))
  const newer = commits.filter((commit) => commit.version > version)
  assertContiguous(newer, version + 1)
  return newer
}

export function commitsOf(files: readonly StoredFile[]): CommitFile[] {
  return files.flatMap(({ path, modifiedMs }) => {
    const name = parseLogName(path)
    return name.kind === 'commit' ? [{ version: name.version, path, modifiedMs }] : []
  })
}

function newestCheckpoint(files: readonly StoredFile[], atMost = Number.POSITIVE_INFINITY) {
  const parts = new Map<string, { version: number; partCount: number; paths: string[] }>()
  for (const { path } of files) {
    const name = parseLogName(path)
    if (name.kind === 'v2-checkpoint' && name.version <= atMost) {
      throw new DeltaError(
        'DELTA_FEATURE_UNSUPPORTED',
        `Checkpoint ${path} is of version 2 (feature v2Checkpoint), which cannot be read yet`,
      )
    }
    if (name.kind !== 'checkpoint' || name.version > atMost) continue
    const key = `${name.version}/${name.partCount}`
    const known = parts.get(key) ?? { version: name.version, partCount: name.partCount, paths: [] }
    known.paths.push(path)
    parts.set(key, known)
  }
  return [...parts.values()]
    .filter((checkpoint) => checkpoint.paths.length === checkpoint.partCount)
    .sort((a, b) => b.version - a.version)[0]
}

function assertContiguous(commits: readonly CommitFile[], first: number): void {
  for (const [i, commit] of commits.entries()) {
    if (commit.version !== first + i) {
      throw new DeltaError(
        'DELTA_LOG_GAP',
        `Version ${first + i} is missing from the log, though ${commit.version} is there`,
      )
    }
  }
}

function unknownVersion(version: number, files: readonly StoredFile[]): DeltaError {
  const commits = commitsOf(files)
  return new DeltaError(
    'DELTA_VERSION_UNKNOWN',
    `Version ${version} is not in the log; it reaches from ${commits[0]?.version} to ${commits.at(-1)?.version}`,
  )
}
