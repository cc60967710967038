import { join } from 'node:path'
import { Argument, Command, Option } from 'commander'
import { dataFolders } from '../config/settings.ts'
import { ensureTopics } from '../events/ensure-topics.ts'
import { rebuildLake } from '../lake/rebuild.ts'
import { lockServer, lockWhenFree } from '../operations/server-lock.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

/** What came of making live state anew. */
export interface LiveRebuild {
  readonly events: number
  readonly shoppers: number
  readonly sizeBytes: number
  readonly tookMs: number
}

export type RebuildLive = (context: CliContext) => Promise<LiveRebuild>

/** `arus rebuild lake` and `arus rebuild live`: compute what can be computed again. */
export function rebuildCommand(context: CliContext, rebuildLive: RebuildLive): Command {
  return new Command('rebuild')
    .description('compute the lake or live state anew, from the log; needs the server to be stopped')
    .addArgument(new Argument('<what>', 'what to rebuild').choices(['lake', 'live']))
    .addOption(
      new Option('--from <source>', 'of the lake. log: bronze anew too, as far back as the log reaches')
        .choices(['bronze', 'log'])
        .default('bronze'),
    )
    .action(async (what: 'lake' | 'live', { from }: { readonly from: 'bronze' | 'log' }) => {
      const { root } = dataFolders(context.parts.settings)
      const release = lockServer(join(root, 'server.lock'))
      const unlock = await lockWhenFree(join(root, 'lake.lock'), context.signal)
      try {
        context.out(what === 'lake' ? await lakeAnew(context, from) : liveReport(await rebuildLive(context)))
      } finally {
        unlock()
        release()
      }
    })
}

async function lakeAnew({ parts, onProgress, signal }: CliContext, from: 'bronze' | 'log'): Promise<string> {
  const log = await parts.log()
  const topics = await ensureTopics(log, parts.settings)
  const lake = await parts.lake()
  const compute = await parts.compute()
  const tables = await rebuildLake({ lake, log, topics, compute, from, onProgress, signal })
  return textTable(
    ['table', 'rows', 'kB'],
    tables.map(({ table, rowCount, sizeBytes }) => [table, rowCount, Math.round(sizeBytes / 1024)]),
  )
}

function liveReport({ events, shoppers, sizeBytes, tookMs }: LiveRebuild): string {
  const seconds = (tookMs / 1000).toFixed(1)
  return textTable(
    ['events', 'shoppers', 'kB', 'seconds'],
    [[events, shoppers, Math.round(sizeBytes / 1024), seconds]],
  )
}
