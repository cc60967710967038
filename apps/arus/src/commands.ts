import type { Command } from 'commander'
import { checkCommand } from './cli/check-command.ts'
import { consumeCommand } from './cli/consume-command.ts'
import type { CliContext } from './cli/context.ts'
import { demoCommand } from './cli/demo-command.ts'
import { doctorCommand } from './cli/doctor-command.ts'
import { exploreCommand } from './cli/explore-command.ts'
import { forgetCommand } from './cli/forget-command.ts'
import { generateCommand } from './cli/generate-command.ts'
import { importCommand } from './cli/import-command.ts'
import { keysCommand } from './cli/keys-command.ts'
import { modelsCommand } from './cli/models-command.ts'
import { produceCommand } from './cli/produce-command.ts'
import { promoteCommand } from './cli/promote-command.ts'
import { rebuildCommand } from './cli/rebuild-command.ts'
import { recommendCommand } from './cli/recommend-command.ts'
import { repairCommand } from './cli/repair-command.ts'
import { replayCommand } from './cli/replay-command.ts'
import { rollbackCommand } from './cli/rollback-command.ts'
import { sqlCommand } from './cli/sql-command.ts'
import { startCommand } from './cli/start-command.ts'
import { tablesCommand } from './cli/tables-command.ts'
import { trainCommand } from './cli/train-command.ts'
import { whyCommand } from './cli/why-command.ts'
import { directSink } from './server/direct-sink.ts'
import { forgetWaiting } from './server/forget-shopper.ts'
import { rebuildLive } from './server/rebuild-live.ts'
import type { start as Start } from './server/start.ts'
import { slotProbes } from './wiring.ts'

/** Every command of `arus`, in the order of its help. */
export function commands(context: CliContext): Command[] {
  return [
    startCommand(context, start),
    exploreCommand(context),
    importCommand(context),
    generateCommand(context, directSink),
    replayCommand(context, directSink),
    produceCommand(context, directSink),
    consumeCommand(context),
    trainCommand(context),
    modelsCommand(context),
    promoteCommand(context),
    rollbackCommand(context),
    recommendCommand(context),
    whyCommand(context),
    tablesCommand(context),
    sqlCommand(context),
    keysCommand(context),
    forgetCommand(context, forgetWaiting),
    rebuildCommand(context, rebuildLive),
    repairCommand(context),
    demoCommand(context),
    checkCommand(context),
    doctorCommand(context, slotProbes),
  ]
}

/** Loaded when asked for: the server's modules are most of the program. */
const start: typeof Start = async (...args) => (await import('./server/start.ts')).start(...args)
