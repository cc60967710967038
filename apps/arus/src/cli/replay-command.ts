import { Command, InvalidArgumentError } from 'commander'
import { type BadRow, findMapping, newestTime, replayEvents } from '../events/replay.ts'
import { type Sink, sendEvents } from '../events/send.ts'
import { openSink } from './api-client.ts'
import type { CliContext } from './context.ts'
import { reportLine } from './generate-command.ts'

interface Options {
  readonly mapping: string
  readonly speed: number
  readonly shiftToNow?: boolean
  readonly direct?: boolean
}

const BAD_ROWS_SHOWN = 5

/** `arus replay`: plays a file of real events. */
export function replayCommand(
  context: CliContext,
  directSink: (context: CliContext) => Promise<Sink>,
): Command {
  return new Command('replay')
    .description('play a CSV of real events (plain or gzip) into the API')
    .argument('<file>')
    .requiredOption('--mapping <name>', 'retailrocket, rees46, yoochoose, uci, or a JSON file with a mapping')
    .option(
      '--speed <times>',
      'times the original tempo, 1 to 1000, or "max"',
      speedOf,
      Number.POSITIVE_INFINITY,
    )
    .option('--shift-to-now', 'move all times so that the newest event is now')
    .option('--direct', 'write to the log, without a running server')
    .action(async (file: string, options: Options) => {
      const { signal, onProgress } = context
      const mapping = findMapping(options.mapping)
      const newest = options.shiftToNow ? await newestTime(file, mapping, signal) : null
      const bad: BadRow[] = []
      const events = replayEvents({
        file,
        mapping,
        speed: options.speed,
        shiftMs: newest === null ? 0 : Date.now() - newest,
        onBadRow: (row) => bad.push(row),
        signal,
      })
      const report = await sendEvents(events, {
        sink: options.direct ? await directSink(context) : openSink(context),
        rate: 0,
        // At a tempo, every event goes when it is due.
        ...(Number.isFinite(options.speed) ? { batchSize: 1 } : {}),
        total: null,
        step: `Replaying ${file}`,
        onProgress,
        signal,
      })
      context.out(reportLine(report))
      if (bad.length > 0) context.out(`${bad.length} rows are no events:`)
      for (const { line, reason } of bad.slice(0, BAD_ROWS_SHOWN)) context.out(`  line ${line}: ${reason}`)
    })
}

function speedOf(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY
  const speed = Number(text)
  if (speed > 0 && speed <= 1000) return speed
  throw new InvalidArgumentError('expected a number above 0, at most 1000, or "max"')
}
