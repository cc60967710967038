import { Command } from 'commander'
import type { CliContext } from './context.ts'

/** `arus rollback`: the version that served before is back in service. */
export function rollbackCommand(context: CliContext): Command {
  return new Command('rollback')
    .description('put the model version that served before back into service')
    .action(async () => {
      const version = await (await context.parts.registry()).rollback()
      context.out(`Version ${version.version} (${version.kind}) is back in service.`)
    })
}
