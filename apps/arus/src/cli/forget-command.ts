import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Command } from 'commander'
import { dataFolders } from '../config/settings.ts'
import type { ErasureReport } from '../erasure/erasure.ts'
import { forgottenBody } from '../erasure/forgotten-body.ts'
import { ArusError } from '../errors.ts'
import { lockIfFree } from '../operations/server-lock.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

/** Carries out the requests that wait; the data must be this process's alone. */
export type ForgetWaiting = (context: CliContext) => Promise<void>

const LOOK_MS = 300

/** `arus forget`: a running server does the work, or this command where none runs. */
export function forgetCommand(context: CliContext, forgetWaiting: ForgetWaiting): Command {
  return new Command('forget')
    .description('erase a shopper from log, live state, lake and database, and say what stays')
    .argument('<user_id>', 'user id; of a visitor who never signed in the anonymous id or the session')
    .option('--json', 'print as JSON')
    .action(async (userId: string, options: { json?: boolean }) => {
      const report = await forgotten(context, userId, forgetWaiting)
      context.out(
        options.json ? JSON.stringify(forgottenBody(userId, report), null, 2) : textOf(userId, report),
      )
    })
}

/** The request stands whatever happens to this process: a server that starts later carries it out too. */
async function forgotten(
  context: CliContext,
  userId: string,
  forgetWaiting: ForgetWaiting,
): Promise<ErasureReport> {
  const { parts, signal, onProgress, note } = context
  const store = await parts.erasures()
  const id = await store.request(userId)
  const lock = join(dataFolders(parts.settings).root, 'server.lock')
  let told: string | null = null
  for (;;) {
    const { finishedAt, report, progress, failure } = await store.get(id)
    if (finishedAt !== null && report !== null) return report
    if (progress !== null) onProgress(progress)
    if (failure !== null && failure !== told) note(`${failure}; it is tried again.`)
    told = failure
    const release = lockIfFree(lock)
    if (release === null) await setTimeout(LOOK_MS, undefined, { signal })
    else {
      await forgetWaiting(context).finally(release)
      if ((await store.get(id)).finishedAt === null)
        throw new ArusError(
          'INTERNAL',
          'The shopper is not forgotten yet; run the command again, or start Arus.',
        )
    }
  }
}

function textOf(userId: string, report: ErasureReport): string {
  const { otherNames, removed, remains, outdatedModels } = report
  const total = Object.values(removed).reduce((sum, count) => sum + count, 0)
  if (total === 0) return `Nothing was stored of ${userId}.`
  const others = otherNames === 0 ? '' : ` and ${otherNames} names that were theirs alone`
  return [
    `${userId}${others}: erased.`,
    textTable(['removed from', 'entries'], Object.entries(removed)),
    ...(outdatedModels.length === 0
      ? []
      : [
          `Trained with their history: model ${outdatedModels.join(', ')}. "arus train" replaces the one in service.`,
        ]),
    ...(remains.length === 0
      ? []
      : [
          textTable(
            ['what stays', 'where', 'until'],
            remains.map(({ place, what, until }) => [what, place, until ?? 'no end']),
          ),
        ]),
  ].join('\n\n')
}
