import { Command } from 'commander'
import type { CliContext } from './context.ts'

/** `arus keys revoke`: a running server refuses the key within two seconds. */
export function keysRevokeCommand(context: CliContext): Command {
  return new Command('revoke')
    .description('end a key; a running server refuses it within two seconds')
    .argument('<id>', 'as "arus keys list" shows it')
    .action(async (id: string) => {
      const key = await (await context.parts.keys()).revoke(id)
      context.out(`Key ${key.id} (${key.kind}, "${key.name}") is revoked.`)
    })
}
