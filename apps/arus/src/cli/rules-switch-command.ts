import { Command } from 'commander'
import type { CliContext } from './context.ts'

/** `arus rules enable` and `disable`: switches a rule on or off without removing it. */
export function rulesSwitchCommand(context: CliContext, name: 'enable' | 'disable'): Command {
  const word = name === 'enable' ? 'on' : 'off'
  return new Command(name)
    .description(`switch a rule ${word}; a running server follows within a second`)
    .argument('<id>', 'as "arus rules list" shows it')
    .action(async (id: string) => {
      const store = await context.parts.rules()
      const { id: _id, created_at, updated_at, ...rule } = await store.get(id)
      await store.replace(id, { ...rule, enabled: name === 'enable' })
      context.out(`Rule ${id} (${rule.kind}, "${rule.name}") is switched ${word}.`)
    })
}
