import { join } from 'node:path'
import { type DamagedRange, repairLmdbEventLog } from '@arus/event-log'
import { Command } from 'commander'
import { dataFolders } from '../config/settings.ts'
import { ArusError } from '../errors.ts'
import { lockServer, lockWhenFree } from '../operations/server-lock.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

/** `arus repair`: says what of the log cannot be read, and with `--yes` lets readers go on after it. */
export function repairCommand(context: CliContext): Command {
  return new Command('repair')
    .description('look for damage in the event log; needs the server to be stopped')
    .option('--yes', 'leave gaps where the log is damaged, so that readers go on after them')
    .option('--keep-in <folder>', 'write the damaged blocks there first; they hold what shoppers did')
    .action(async ({ yes = false, keepIn }: { readonly yes?: boolean; readonly keepIn?: string }) => {
      const { settings } = context.parts
      if (settings.kafka !== null) {
        throw new ArusError(
          'REQUEST_INVALID',
          'The event log is in Kafka, which mends damage from its other copies; "arus repair" is for the embedded log',
        )
      }
      const { root, log } = dataFolders(settings)
      const release = lockServer(join(root, 'server.lock'))
      const unlock = await lockWhenFree(join(root, 'lake.lock'), context.signal)
      try {
        const ranges = await repairLmdbEventLog({
          folder: log,
          isRepairing: yes,
          ...(keepIn === undefined ? {} : { keepIn }),
        })
        context.out(textOf(ranges, yes))
        if (ranges.length > 0 && !yes) process.exitCode = 1
      } finally {
        unlock()
        release()
      }
    })
}

function textOf(ranges: readonly DamagedRange[], isRepaired: boolean): string {
  if (ranges.length === 0) return 'All of the log can be read.'
  const table = textTable(
    ['topic', 'partition', 'from offset', 'to', 'records', 'damage', 'not yet read by'],
    ranges.map(({ topic, partition, fromOffset, toOffset, fault, unreadBy }) => [
      topic,
      partition,
      fromOffset,
      toOffset - 1,
      toOffset - fromOffset,
      fault,
      unreadBy.join(', ') || 'nobody',
    ]),
  )
  const advice = isRepaired
    ? 'Readers go on after these now. What was not yet read is lost to those named; what the lake has stays in bronze.'
    : 'A backup of the log folder is the better way back. Without one: arus repair --yes --keep-in FOLDER.'
  return `${table}\n\n${advice}`
}
