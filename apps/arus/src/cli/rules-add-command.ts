import { Command } from 'commander'
import type { CliContext } from './context.ts'
import { readRules } from './read-rules.ts'

/** `arus rules add`: keeps the rules of a file, when all of them are valid; prints the id of each alone on a line. */
export function rulesAddCommand(context: CliContext): Command {
  return new Command('add')
    .description('keep the rules of a JSON file: one rule, or an array')
    .argument('<file>', 'such as {"kind": "exclude", "name": "Sold out", "products": ["B001"]}')
    .action(async (file: string) => {
      const rules = await readRules(file)
      const store = await context.parts.rules()
      for (const rule of rules) {
        const { id, kind, name } = await store.add(rule)
        context.out(id)
        context.note(`Rule ${id} (${kind}, "${name}") is kept; a running server follows within a second.`)
      }
    })
}
