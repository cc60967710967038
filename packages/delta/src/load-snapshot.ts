import { type Action, parseCommit } from './actions.ts'
import { DeltaError } from './errors.ts'
import { effectiveActions } from './log-compaction.ts'
import { LAST_CHECKPOINT, LOG_FOLDER, nameBefore, SIDECAR_FOLDER } from './log-names.ts'
import {
  type CheckpointFiles,
  type LogSegment,
  type LogStep,
  newestVersion,
  planSegment,
  stepsTo,
} from './log-segment.ts'
import { readCheckpoint } from './read-checkpoint.ts'
import { type Snapshot, SnapshotBuilder } from './snapshot.ts'
import type { Storage, StoredFile } from './storage.ts'
import { commitTimestamp } from './timestamps.ts'

/** JSON files of the log read at once. */
const READS_AT_ONCE = 32

/**
 * The snapshot at `version`, or the newest. Looks first where `_last_checkpoint` points; a pointer that leads nowhere
 * and a checkpoint that cannot be read are passed over where the rest of the log suffices.
 */
export async function loadSnapshot(storage: Storage, version?: number): Promise<Snapshot> {
  const hint = version === undefined ? await checkpointHint(storage) : 0
  if (hint > 0) {
    // With times, which are needed in the end: few files are so new, and another listing would cost more.
    const files = await storage.list(LOG_FOLDER, nameBefore(hint))
    const segment = planned(() => planSegment(namesOf(files)))
    if (segment?.checkpoint) {
      const snapshot = await loadSegment(storage, segment, files).catch(unlessDamaged)
      if (snapshot) return snapshot
    }
  }
  return loadFromAll(storage, version)
}

/** The snapshot and the commits since, which make the newest. `known` itself when there are none. */
export async function refreshSnapshot(storage: Storage, known: Snapshot): Promise<Snapshot> {
  const files = await storage.list(LOG_FOLDER, nameBefore(known.version + 1))
  const names = namesOf(files)
  const newest = newestVersion(names)
  if (newest <= known.version) return known
  const steps = stepsTo(names, known.version + 1, newest)
  // Commits that are gone, though newer ones are there: a checkpoint stands for them.
  if (steps === null) return loadSnapshot(storage)
  const builder = new SnapshotBuilder(known)
  return applySteps(storage, builder, { steps, version: newest, files })
}

async function loadFromAll(storage: Storage, version?: number): Promise<Snapshot> {
  const names = await storage.listNames(LOG_FOLDER)
  const unreadable = new Set<number>()
  let failure: unknown
  for (;;) {
    const wanted = version === undefined ? { unreadable } : { unreadable, version }
    const segment =
      failure === undefined ? planSegment(names, wanted) : planned(() => planSegment(names, wanted))
    if (segment === null) throw failure
    try {
      return await loadSegment(storage, segment)
    } catch (error) {
      if (segment.checkpoint === null || !isDamage(error)) throw failure ?? error
      failure ??= error
      unreadable.add(segment.checkpoint.version)
    }
  }
}

/** `files` are those of the log from the segment's version on at least, where they are known. */
async function loadSegment(
  storage: Storage,
  segment: LogSegment,
  files?: readonly StoredFile[],
): Promise<Snapshot> {
  const builder = new SnapshotBuilder()
  if (segment.checkpoint) await applyCheckpoint(storage, segment.checkpoint, builder)
  const { steps, version } = segment
  const newest = files ?? (await storage.list(LOG_FOLDER, nameBefore(version)))
  return applySteps(storage, builder, { steps, version, files: newest })
}

async function applyCheckpoint(
  storage: Storage,
  { paths }: CheckpointFiles,
  builder: SnapshotBuilder,
): Promise<void> {
  const sidecars: string[] = []
  const json = paths.filter((path) => path.endsWith('.json'))
  for (const path of json) {
    const actions = parseCommit(await storage.read(path), path)
    builder.apply(actions)
    sidecars.push(...sidecarsOf(actions))
  }
  const parquet = paths.filter((path) => !path.endsWith('.json'))
  await storage.ensureLocal(parquet)
  for (const path of parquet) {
    const actions = await readCheckpoint(storage.localPath(path))
    builder.apply(actions)
    sidecars.push(...sidecarsOf(actions))
  }
  await storage.ensureLocal(sidecars)
  for (const path of sidecars) builder.apply(await readCheckpoint(storage.localPath(path)))
}

/** Protocol, "Sidecar File Information": a name in `_sidecars`, or an absolute URI. */
function sidecarsOf(actions: readonly Action[]): string[] {
  return actions.flatMap(({ sidecar }) => {
    if (!sidecar) return []
    return [/^[a-z][a-z0-9+.-]*:\//i.test(sidecar.path) ? sidecar.path : `${SIDECAR_FOLDER}/${sidecar.path}`]
  })
}

async function applySteps(
  storage: Storage,
  builder: SnapshotBuilder,
  {
    steps,
    version,
    files: listed,
  }: {
    readonly steps: readonly LogStep[]
    readonly version: number
    readonly files: readonly StoredFile[]
  },
): Promise<Snapshot> {
  let last: readonly Action[] = []
  for (let i = 0; i < steps.length; i += READS_AT_ONCE) {
    const group = steps.slice(i, i + READS_AT_ONCE)
    const files = await Promise.all(group.map(({ path }) => storage.read(path)))
    for (const [k, bytes] of files.entries()) {
      const path = group[k]?.path ?? ''
      last = parseCommit(bytes, path)
      builder.apply(effectiveActions(path, last))
    }
  }
  return builder.build(version, commitTimestamp(listed, version, last))
}

function namesOf(files: readonly StoredFile[]): string[] {
  return files.map(({ path }) => path.slice(LOG_FOLDER.length + 1))
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

function planned(plan: () => LogSegment): LogSegment | null {
  try {
    return plan()
  } catch (error) {
    if (error instanceof DeltaError) return null
    throw error
  }
}

function unlessDamaged(error: unknown): null {
  if (isDamage(error)) return null
  throw error
}

/** What another way through the log may get round. */
function isDamage(error: unknown): boolean {
  return (
    error instanceof DeltaError &&
    ['DELTA_LOG_CORRUPT', 'DELTA_FILE_CORRUPT', 'DELTA_NOT_FOUND', 'DELTA_LOG_GAP'].includes(error.code)
  )
}
