import { parseCommit } from './actions.ts'
import { LOG_FOLDER, parseLogName, SIDECAR_FOLDER } from './log-names.ts'
import type { Storage } from './storage.ts'

/**
 * Removes commits, compactions, checksums and checkpoints of versions before the newest checkpoint that is older than
 * `beforeMs`: they can no longer be read. Sidecars go when they are older and no JSON checkpoint that stays names them;
 * none go while a Parquet checkpoint of version 2 may. Returns how many files went.
 */
export async function removeOldLog(storage: Storage, beforeMs: number): Promise<number> {
  const files = (await storage.list(LOG_FOLDER)).map((file) => ({ ...file, log: parseLogName(file.path) }))
  const standing = files.flatMap(({ log, modifiedMs }) =>
    log.kind === 'checkpoint' && log.partCount === 1 && modifiedMs < beforeMs ? [log.version] : [],
  )
  const keepFrom = Math.max(0, ...standing)
  const old = files.filter(({ log }) => log.kind !== 'other' && log.version < keepFrom)
  for (const { path } of old) await storage.delete(path)
  const kept = files
    .filter((file) => !old.includes(file) && file.log.kind === 'checkpoint')
    .map(({ path }) => path)
  return old.length + (await removeOldSidecars(storage, kept, beforeMs))
}

async function removeOldSidecars(
  storage: Storage,
  checkpoints: readonly string[],
  beforeMs: number,
): Promise<number> {
  const sidecars = (await storage.list(SIDECAR_FOLDER)).filter(({ modifiedMs }) => modifiedMs < beforeMs)
  if (
    sidecars.length === 0 ||
    checkpoints.some((path) => /\.checkpoint\.[0-9a-f-]{36}\.parquet$/i.test(path))
  )
    return 0
  const named = new Set<string>()
  for (const path of checkpoints.filter((one) => one.endsWith('.json'))) {
    for (const { sidecar } of parseCommit(await storage.read(path), path))
      if (sidecar) named.add(sidecar.path)
  }
  const old = sidecars.filter(({ path }) => !named.has(path.slice(path.lastIndexOf('/') + 1)))
  for (const { path } of old) await storage.delete(path)
  return old.length
}
