import { DeltaError } from './errors.ts'
import { LOG_FOLDER, parseLogName } from './log-names.ts'

/** A checkpoint all of whose files are there. */
export interface CheckpointFiles {
  readonly version: number
  readonly paths: readonly string[]
}

/** A JSON file of the log that brings a table from the version before `firstVersion` to `version`. */
export interface LogStep {
  readonly firstVersion: number
  readonly version: number
  readonly path: string
}

/** The plan for building a snapshot: which files to read, in order. Reading nothing else is needed. */
export interface LogSegment {
  readonly version: number
  /** The newest complete checkpoint at or below the version, or null. */
  readonly checkpoint: CheckpointFiles | null
  /** What comes after it, without gaps: commits, and compactions in place of several. */
  readonly steps: readonly LogStep[]
}

/**
 * Plans the snapshot at `version`, or the newest, from names of the log's files. Checkpoints in `unreadable` (by
 * version) are passed over. Throws `DELTA_NOT_A_TABLE`, `DELTA_VERSION_UNKNOWN`, `DELTA_LOG_GAP`.
 */
export function planSegment(
  names: readonly string[],
  { version, unreadable }: { readonly version?: number; readonly unreadable?: ReadonlySet<number> } = {},
): LogSegment {
  const checkpoint = newestCheckpoint(names, version ?? Number.POSITIVE_INFINITY, unreadable ?? new Set())
  const commits = commitsOf(names)
  const newest = Math.max(commits.at(-1)?.version ?? -1, checkpoint?.version ?? -1)
  if (newest < 0) {
    throw new DeltaError(
      'DELTA_NOT_A_TABLE',
      `No Delta log was found: ${LOG_FOLDER} has neither a commit nor a whole checkpoint`,
    )
  }
  const target = version ?? newest
  if (target > newest) throw unknownVersion(target, commits, newest)
  const steps = stepsTo(names, (checkpoint?.version ?? -1) + 1, target)
  if (steps === null) throw gap(commits, checkpoint, target)
  return { version: target, checkpoint, steps }
}

/** The newest version that a commit or a checkpoint names; -1 when there is none. */
export function newestVersion(names: readonly string[]): number {
  return names.reduce((newest, name) => {
    const file = parseLogName(name)
    return file.kind === 'commit' || file.kind === 'checkpoint' ? Math.max(newest, file.version) : newest
  }, -1)
}

/** Commits by version, ascending. */
export function commitsOf(names: readonly string[]): LogStep[] {
  return names
    .flatMap((name): LogStep[] => {
      const file = parseLogName(name)
      if (file.kind !== 'commit') return []
      return [{ firstVersion: file.version, version: file.version, path: `${LOG_FOLDER}/${name}` }]
    })
    .sort((a, b) => a.version - b.version)
}

/** From the version before `first` to `last`, with as few files as possible; null where there is a gap. */
export function stepsTo(names: readonly string[], first: number, last: number): LogStep[] | null {
  const longest = new Map<number, LogStep>()
  for (const name of names) {
    const step = stepOf(name)
    if (step === null || step.version > last || step.firstVersion < first) continue
    const known = longest.get(step.firstVersion)
    if (known === undefined || step.version > known.version) longest.set(step.firstVersion, step)
  }
  const steps: LogStep[] = []
  for (let next = first; next <= last; ) {
    const step = longest.get(next)
    if (step === undefined) return null
    steps.push(step)
    next = step.version + 1
  }
  return steps
}

function stepOf(name: string): LogStep | null {
  const file = parseLogName(name)
  const path = `${LOG_FOLDER}/${name}`
  if (file.kind === 'commit') return { firstVersion: file.version, version: file.version, path }
  if (file.kind === 'compacted' && file.lastVersion > file.version)
    return { firstVersion: file.version, version: file.lastVersion, path }
  return null
}

function newestCheckpoint(
  names: readonly string[],
  atMost: number,
  unreadable: ReadonlySet<number>,
): CheckpointFiles | null {
  const parts = new Map<string, { version: number; partCount: number; paths: string[] }>()
  for (const name of names) {
    const file = parseLogName(name)
    if (file.kind !== 'checkpoint' || file.version > atMost || unreadable.has(file.version)) continue
    const known = parts.get(file.id) ?? { version: file.version, partCount: file.partCount, paths: [] }
    known.paths.push(`${LOG_FOLDER}/${name}`)
    parts.set(file.id, known)
  }
  const whole = [...parts.values()].filter(({ partCount, paths }) => paths.length === partCount)
  return whole.sort((a, b) => b.version - a.version)[0] ?? null
}

function gap(commits: readonly LogStep[], checkpoint: CheckpointFiles | null, target: number): DeltaError {
  const known = new Set(commits.map((commit) => commit.version))
  let missing = (checkpoint?.version ?? -1) + 1
  while (known.has(missing)) missing += 1
  const oldest = commits[0]?.version ?? target
  if (missing < oldest && checkpoint === null && target < oldest)
    return unknownVersion(target, commits, target)
  return new DeltaError(
    'DELTA_LOG_GAP',
    `Version ${missing} is missing from the log, though ${target} is there; ${checkpoint === null ? 'no checkpoint stands' : `the newest checkpoint, ${checkpoint.version}, does not stand`} for it`,
  )
}

function unknownVersion(version: number, commits: readonly LogStep[], newest: number): DeltaError {
  return new DeltaError(
    'DELTA_VERSION_UNKNOWN',
    `Version ${version} cannot be read; the log reaches from ${commits[0]?.version ?? newest} to ${newest}`,
  )
}
