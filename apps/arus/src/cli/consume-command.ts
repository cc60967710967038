import type { LogEntry } from '@arus/event-log'
import { Command, Option } from 'commander'
import { ensureTopics } from '../events/ensure-topics.ts'
import type { CliContext } from './context.ts'

interface Options {
  readonly from: 'beginning' | 'latest' | 'committed'
  readonly group?: string
  readonly topic: 'events' | 'rejected' | 'recommendations'
  readonly limit?: string
  readonly json?: boolean
}

/** `arus consume`: follows the log until Ctrl-C, as one more consumer group when one is named. */
export function consumeCommand(context: CliContext): Command {
  return new Command('consume')
    .description('follow the log; with --group, go on where the group stopped')
    .addOption(
      new Option('--from <where>', 'where to begin')
        .choices(['beginning', 'latest', 'committed'])
        .default('latest'),
    )
    .option('--group <name>', 'consumer group whose progress is kept')
    .addOption(
      new Option('--topic <name>').choices(['events', 'rejected', 'recommendations']).default('events'),
    )
    .option('--limit <count>', 'stop after this many')
    .option('--json', 'values as they stand, one per line')
    .action(async (options: Options) => {
      const { parts, signal } = context
      const log = await parts.log()
      const topic = (await ensureTopics(log, parts.settings))[options.topic]
      const { group } = options
      const limit = options.limit === undefined ? Number.POSITIVE_INFINITY : Number(options.limit)
      let printed = 0
      const from = options.from
      for await (const batch of log.consume(topic, {
        from,
        ...(group === undefined ? {} : { group }),
        signal,
      })) {
        const entries = batch.entries.slice(0, limit - printed)
        for (const entry of entries)
          context.out(options.json ? textOf(entry) : lineOf(batch.partition, entry))
        printed += entries.length
        const next = entries.at(-1)
        if (group !== undefined && next !== undefined)
          await log.commit(group, topic, new Map([[batch.partition, next.offset + 1]]))
        if (printed >= limit) return
      }
    })
}

function lineOf(partition: number, entry: LogEntry): string {
  return `${partition}:${entry.offset}  ${new Date(entry.timestampMs).toISOString()}  ${entry.key ?? '-'}  ${textOf(entry)}`
}

function textOf({ value }: LogEntry): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
}
