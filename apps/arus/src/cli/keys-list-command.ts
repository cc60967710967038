import { Command } from 'commander'
import type { ApiKey } from '../keys/api-key.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

/** `arus keys list`: every key, newest first, revoked ones too; never their texts. */
export function keysListCommand(context: CliContext): Command {
  return new Command('list')
    .description('list the keys: kind, origins, limits, when they were used')
    .option('--json', 'print as JSON')
    .action(async (options: { json?: boolean }) => {
      const keys = await (await context.parts.keys()).list()
      if (options.json) return context.out(JSON.stringify(keys, null, 2))
      if (keys.length === 0)
        return context.out('There are no keys: "arus keys create --kind admin --name NAME" makes one.')
      context.out(
        textTable(
          ['id', 'kind', 'name', 'origins', 'limit/min', 'created (UTC)', 'last used', 'state'],
          keys.map(rowOf),
        ),
      )
    })
}

function rowOf(key: ApiKey): string[] {
  return [
    key.id,
    key.kind,
    key.name,
    key.origins.join(' ') || 'any',
    String(key.rate_limit_per_minute ?? 'none'),
    timeOf(key.created_at),
    key.last_used_at === null ? 'never' : timeOf(key.last_used_at),
    key.revoked_at === null ? 'in force' : `revoked ${timeOf(key.revoked_at)}`,
  ]
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16)
}
