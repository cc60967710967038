import { join } from 'node:path'
import { Argument, Command, Option } from 'commander'
import { dataFolders } from '../config/settings.ts'
import { topicNames } from '../events/topics.ts'
import { rebuildLake } from '../lake/rebuild.ts'
import { lockServer } from '../operations/server-lock.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

/** `arus rebuild lake`: computes what can be computed again. */
export function rebuildCommand(context: CliContext): Command {
  return new Command('rebuild')
    .description('compute silver and gold anew, from bronze or from the log; needs the server to be stopped')
    .addArgument(new Argument('<what>', 'what to rebuild').choices(['lake']))
    .addOption(
      new Option('--from <source>', 'log: bronze anew too, as far back as the log reaches')
        .choices(['bronze', 'log'])
        .default('bronze'),
    )
    .action(async (_what: string, { from }: { readonly from: 'bronze' | 'log' }) => {
      const { parts, onProgress, signal } = context
      const { settings } = parts
      const release = lockServer(join(dataFolders(settings).root, 'server.lock'))
      try {
        const log = await parts.log()
        const topics = topicNames(settings.shop)
        for (const topic of Object.values(topics))
          await log.ensureTopic(topic, { partitionCount: settings.partitionCount })
        const tables = await rebuildLake({ lake: await parts.lake(), log, topics, from, onProgress, signal })
        context.out(
          textTable(
            ['table', 'rows', 'kB'],
            tables.map(({ table, rowCount, sizeBytes }) => [table, rowCount, Math.round(sizeBytes / 1024)]),
          ),
        )
      } finally {
        release()
      }
    })
}
