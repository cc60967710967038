import { Command } from 'commander'
import type { CliContext } from './context.ts'

/** `arus rules remove`: a running server follows within about a second. */
export function rulesRemoveCommand(context: CliContext): Command {
  return new Command('remove')
    .description('remove a rule; a running server follows within a second')
    .argument('<id>', 'as "arus rules list" shows it')
    .action(async (id: string) => {
      const { kind, name } = await (await context.parts.rules()).remove(id)
      context.out(`Rule ${id} (${kind}, "${name}") is removed.`)
    })
}
