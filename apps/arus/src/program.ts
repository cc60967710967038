import { Command, CommanderError } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import type { CliContext } from './cli/context.ts'
import { createProgressDisplay } from './cli/progress-display.ts'
import { commands } from './commands.ts'
import { readSettings } from './config/settings.ts'
import { ArusError, ERROR_CODES } from './errors.ts'
import { type OpenParts, openParts } from './wiring.ts'

/** Runs one command line; returns the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const abort = new AbortController()
  const display = createProgressDisplay(process.stderr)
  let parts: OpenParts | null = null
  const stop = () => {
    if (abort.signal.aborted) process.exit(130)
    abort.abort(new ArusError('CANCELLED', 'Stopped'))
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const context: CliContext = {
    get parts() {
      parts ??= openParts(readSettings())
      return parts
    },
    signal: abort.signal,
    onProgress: display.onProgress,
    out: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => {
      display.finish()
      process.stderr.write(`${text}\n`)
    },
  }
  try {
    await (await programOf(context, argv[2])).parseAsync([...argv])
    return 0
  } catch (error) {
    display.finish()
    return report(error)
  } finally {
    display.finish()
    await (parts as OpenParts | null)?.close()
  }
}

async function programOf(context: CliContext, name: string | undefined): Promise<Command> {
  const program = new Command('arus')
    .description('Product recommender and real-time shopper analytics.')
    .version(manifest.version, '-v, --version')
    .exitOverride()
    .showSuggestionAfterError()
  for (const command of await commands(context, name)) program.addCommand(inheritExit(command))
  return program
}

function inheritExit(command: Command): Command {
  command.exitOverride()
  for (const child of command.commands) inheritExit(child)
  return command
}

/** Prints what went wrong, once, for a person; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode
  if (error instanceof ArusError) {
    if (error.code !== 'CANCELLED') process.stderr.write(`arus: ${error.message}\n`)
    return error.exitCode
  }
  if (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    process.env.ARUS_LOG_LEVEL !== 'debug'
  ) {
    process.stderr.write(`arus: ${error.message} (${error.code})\n`)
    return exitCodeOf(error)
  }
  process.stderr.write(`arus: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 70
}

/** Of a package's failure: whether the same may go well in a moment, as when an engine is away, or the engine wants other settings. */
function exitCodeOf(error: { readonly code?: unknown; readonly canRetry?: unknown }): number {
  if (error.canRetry === true) return ERROR_CODES.ENGINE_UNREACHABLE.exitCode
  const isRefusal = error.code === 'LOG_ACCESS_DENIED' || error.code === 'LOG_VERSION_UNSUPPORTED'
  return (isRefusal ? ERROR_CODES.ENGINE_UNUSABLE : ERROR_CODES.INTERNAL).exitCode
}
