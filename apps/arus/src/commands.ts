import { join } from 'node:path'
import type { Command } from 'commander'
import type { CliContext } from './cli/context.ts'

type LoadCommand = (context: CliContext) => Promise<Command>

/** By name, in the order of the help. Each is loaded when it is asked for: together they take longer than many of them run. */
const COMMANDS: Readonly<Record<string, LoadCommand>> = {
  start: async (context) => {
    const { startCommand } = await import('./cli/start-command.ts')
    return startCommand(context, async (...args) => (await import('./server/start.ts')).start(...args))
  },
  explore: async (context) => (await import('./cli/explore-command.ts')).exploreCommand(context),
  import: async (context) => (await import('./cli/import-command.ts')).importCommand(context),
  generate: async (context) => {
    const { generateCommand } = await import('./cli/generate-command.ts')
    return generateCommand(context, await directSink())
  },
  replay: async (context) => {
    const { replayCommand } = await import('./cli/replay-command.ts')
    return replayCommand(context, await directSink())
  },
  produce: async (context) => {
    const { produceCommand } = await import('./cli/produce-command.ts')
    return produceCommand(context, await directSink())
  },
  consume: async (context) => (await import('./cli/consume-command.ts')).consumeCommand(context),
  train: async (context) => (await import('./cli/train-command.ts')).trainCommand(context),
  evaluate: async (context) => {
    const { evaluateCommand } = await import('./cli/evaluate-command.ts')
    return evaluateCommand(context, join(import.meta.dirname, 'server/evaluation-process.ts'))
  },
  models: async (context) => (await import('./cli/models-command.ts')).modelsCommand(context),
  promote: async (context) => (await import('./cli/promote-command.ts')).promoteCommand(context),
  rollback: async (context) => (await import('./cli/rollback-command.ts')).rollbackCommand(context),
  experiments: async (context) => (await import('./cli/experiments-command.ts')).experimentsCommand(context),
  recommend: async (context) => (await import('./cli/recommend-command.ts')).recommendCommand(context),
  why: async (context) => (await import('./cli/why-command.ts')).whyCommand(context),
  tables: async (context) => (await import('./cli/tables-command.ts')).tablesCommand(context),
  sql: async (context) => (await import('./cli/sql-command.ts')).sqlCommand(context),
  keys: async (context) => (await import('./cli/keys-command.ts')).keysCommand(context),
  rules: async (context) => (await import('./cli/rules-command.ts')).rulesCommand(context),
  forget: async (context) => {
    const { forgetCommand } = await import('./cli/forget-command.ts')
    return forgetCommand(context, (await import('./server/forget-shopper.ts')).forgetWaiting)
  },
  rebuild: async (context) => {
    const { rebuildCommand } = await import('./cli/rebuild-command.ts')
    return rebuildCommand(context, (await import('./server/rebuild-live.ts')).rebuildLive)
  },
  repair: async (context) => (await import('./cli/repair-command.ts')).repairCommand(context),
  demo: async (context) => (await import('./cli/demo-command.ts')).demoCommand(context),
  check: async (context) => (await import('./cli/check-command.ts')).checkCommand(context),
  doctor: async (context) => {
    const { doctorCommand } = await import('./cli/doctor-command.ts')
    return doctorCommand(context, (await import('./slot-probes.ts')).slotProbes)
  },
}

async function directSink() {
  return (await import('./server/direct-sink.ts')).directSink
}

/** The command of `arus` that is called `name`, or every one, for help and for what may be a slip. */
export function commands(context: CliContext, name: string | undefined): Promise<Command[]> {
  const isKnown = name !== undefined && Object.hasOwn(COMMANDS, name)
  const wanted = isKnown ? [COMMANDS[name]!] : Object.values(COMMANDS)
  return Promise.all(wanted.map((load) => load(context)))
}
