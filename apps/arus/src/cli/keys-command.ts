import { Command } from 'commander'
import type { CliContext } from './context.ts'
import { keysCreateCommand } from './keys-create-command.ts'
import { keysListCommand } from './keys-list-command.ts'
import { keysRevokeCommand } from './keys-revoke-command.ts'

/** `arus keys`: who may use the API, where keys are required. Works on the database, with or without a running server. */
export function keysCommand(context: CliContext): Command {
  return new Command('keys')
    .description('make, list and revoke keys of the API')
    .addCommand(keysCreateCommand(context))
    .addCommand(keysListCommand(context))
    .addCommand(keysRevokeCommand(context))
}
