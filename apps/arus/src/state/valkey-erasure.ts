import { setTimeout as sleep } from 'node:timers/promises'
import { ArusError } from '../errors.ts'
import type { ValkeyConnection } from './valkey-connection.ts'
import { answers, infoOf } from './valkey-server-check.ts'

const POLL_MS = 50
const DEADLINE_MS = 600_000

/** A file that the server writes anew in a process beside it. */
interface Rewrite {
  readonly command: string
  /** Fields of INFO. */
  readonly progress: readonly string[]
  readonly outcome: string
}

const APPEND_ONLY_FILE: Rewrite = {
  command: 'BGREWRITEAOF',
  progress: ['aof_rewrite_in_progress', 'aof_rewrite_scheduled'],
  outcome: 'aof_last_bgrewrite_status',
}
const SNAPSHOT: Rewrite = {
  command: 'BGSAVE',
  progress: ['rdb_bgsave_in_progress'],
  outcome: 'rdb_last_bgsave_status',
}

/**
 * Writes the files of the server anew, so that they hold what stands in memory now and nothing that stood there before, and
 * clears its lists of slow and large commands, which quote keys and values. Costs as much as all that the server holds,
 * also for others who share it. Throws `NOT_READY` when it does not succeed within ten minutes.
 */
export async function removeRemains(connection: ValkeyConnection): Promise<void> {
  await rewrite(connection, APPEND_ONLY_FILE)
  const points = await answers(connection, 'CONFIG', ['GET', 'save'])
  // Without snapshots there is no such file, and none is to be made.
  if (!Array.isArray(points) || points[1] !== '') await rewrite(connection, SNAPSHOT)
  await answers(connection, 'SLOWLOG', ['RESET'])
  for (const list of ['large-request', 'large-reply'])
    await answers(connection, 'COMMANDLOG', ['RESET', list])
}

async function rewrite(connection: ValkeyConnection, { command, progress, outcome }: Rewrite): Promise<void> {
  const endsAt = performance.now() + DEADLINE_MS
  const isIdle = (info: ReadonlyMap<string, string>) =>
    progress.every((field) => (info.get(field) ?? '0') === '0')
  for (let hasBegun = false; performance.now() < endsAt; await sleep(POLL_MS)) {
    const info = await infoOf(connection)
    // One under way may have begun before the removal.
    if (!isIdle(info)) continue
    if (hasBegun && info.get(outcome) === 'ok') return
    hasBegun = (await answers(connection, command, [])) !== null
  }
  throw new ArusError(
    'NOT_READY',
    `Valkey did not carry out ${command}: may the user, and has its disk the room? What was removed is in its files until then.`,
  )
}
