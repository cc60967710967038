import { Command, InvalidArgumentError } from 'commander'
import type { CliContext } from './context.ts'

/** `arus promote`: a version into service; a running server picks it up within about a second. */
export function promoteCommand(context: CliContext): Command {
  return new Command('promote')
    .description('put a model version into service; a running server follows within about a second')
    .argument('<version>', 'as "arus models" lists it', versionOf)
    .action(async (version: number) => {
      const promoted = await (await context.parts.registry()).promote(version, 'promoted by hand')
      context.out(`Version ${promoted.version} (${promoted.kind}) is in service.`)
    })
}

function versionOf(text: string): number {
  const version = Number(text)
  if (Number.isInteger(version) && version > 0) return version
  throw new InvalidArgumentError('expected a version number')
}
