import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { ArusError } from '../errors.ts'
import type { Sink } from '../events/send.ts'
import { openSink } from './api-client.ts'
import type { CliContext } from './context.ts'

interface Options {
  readonly user?: string
  readonly session?: string
  readonly action?: string
  readonly product?: string
  readonly file?: string
  readonly direct?: boolean
}

/** `arus produce`: events by hand. */
export function produceCommand(
  context: CliContext,
  directSink: (context: CliContext) => Promise<Sink>,
): Command {
  return new Command('produce')
    .description('send events by hand: one by options, or JSON lines from a file or typed in')
    .option('--user <id>')
    .option('--session <id>')
    .option('--action <name>', 'view, click, add_to_cart, purchase, search, …', 'view')
    .option('--product <id>')
    .option('--file <ndjson>', 'one JSON event per line')
    .option('--direct', 'write to the log, without a running server')
    .action(async (options: Options) => {
      const sink = options.direct ? await directSink(context) : openSink(context)
      if (options.user !== undefined || options.session !== undefined) {
        return context.out(JSON.stringify(await sink([eventOf(options)])))
      }
      if (options.file === undefined)
        context.note(
          'One JSON event per line, for example {"user_id": 1, "action": "view", "product_id": "B0"}; Ctrl-D ends.',
        )
      await sendLines(context, sink, options.file)
    })
}

function eventOf({ user, session, action, product }: Options): object {
  return {
    ...(user === undefined ? {} : { user_id: user }),
    ...(session === undefined ? {} : { session_id: session }),
    action,
    ...(product === undefined ? {} : { product_id: product }),
  }
}

/** Each line is answered, so that a typing person sees what became of it. */
async function sendLines(context: CliContext, sink: Sink, file: string | undefined): Promise<void> {
  const input = file === undefined ? process.stdin : createReadStream(file)
  const lines = createInterface({ input, signal: context.signal })
  let failed = 0
  input.on('error', () => lines.close())
  for await (const line of lines) {
    if (line.trim() === '') continue
    const event = parsed(line)
    if (event === null) context.note(`not JSON: ${line.slice(0, 80)}`)
    const result = event === null ? { accepted: 0, duplicates: 0, rejected: 1 } : await sink([event])
    failed += result.rejected
    context.out(JSON.stringify(result))
  }
  if (failed > 0) throw new ArusError('REQUEST_INVALID', `${failed} events were rejected`)
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return null
  }
}
