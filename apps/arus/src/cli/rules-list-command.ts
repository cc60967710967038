import { Command } from 'commander'
import type { Rule, RuleTarget } from '../rules/rule.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

/** Ids and names shown of a list; `--json` has all. */
const SHOWN = 3

/** `arus rules list`: every rule, in the order in which they were made. */
export function rulesListCommand(context: CliContext): Command {
  return new Command('list')
    .description('list the rules: what each does, where and when')
    .option('--json', 'print as JSON')
    .action(async (options: { json?: boolean }) => {
      const { rules } = await (await context.parts.rules()).current()
      if (options.json) return context.out(JSON.stringify(rules, null, 2))
      if (rules.length === 0)
        return context.out('There are no rules: "arus rules add FILE" keeps those of a JSON file.')
      const nowMs = Date.now()
      context.out(
        textTable(
          ['id', 'kind', 'name', 'what', 'scenarios', 'when (UTC)', 'state'],
          rules.map((rule) => rowOf(rule, nowMs)),
        ),
      )
    })
}

function rowOf(rule: Rule, nowMs: number): string[] {
  const { id, kind, name, scenarios } = rule
  return [id, kind, name, whatOf(rule), scenarios.join(' ') || 'all', whenOf(rule), stateOf(rule, nowMs)]
}

/** What a rule does, in a few words. */
export function whatOf(rule: Rule): string {
  switch (rule.kind) {
    case 'boost':
    case 'bury':
      return `× ${rule.factor}: ${targetOf(rule)}`
    case 'exclude':
      return targetOf(rule)
    case 'pin':
      return `${rule.product_id} at ${rule.rank}`
    case 'cap':
      return `${rule.per_category} of ${rule.categories === undefined ? 'each category' : listOf(rule.categories)}`
    case 'diversify':
      return `λ ${rule.lambda}, best ${rule.window}`
    case 'explore':
      return `${rule.probability} of the places, from the next ${rule.pool}`
  }
}

function targetOf({ products, categories, min_price, max_price }: RuleTarget): string {
  return [
    ...(products === undefined ? [] : [listOf(products)]),
    ...(categories === undefined ? [] : [`category ${listOf(categories)}`]),
    ...(min_price === undefined ? [] : [`from ${min_price}`]),
    ...(max_price === undefined ? [] : [`up to ${max_price}`]),
  ].join(', ')
}

function listOf(names: readonly string[]): string {
  const more = names.length - SHOWN
  return names.slice(0, SHOWN).join(' ') + (more > 0 ? ` and ${more} more` : '')
}

function whenOf({ starts_at, ends_at }: Rule): string {
  if (starts_at === null && ends_at === null) return 'always'
  return `${starts_at === null ? '' : timeOf(starts_at)} – ${ends_at === null ? '' : timeOf(ends_at)}`.trim()
}

function stateOf({ enabled, starts_at, ends_at }: Rule, nowMs: number): string {
  if (!enabled) return 'off'
  if (starts_at !== null && nowMs < starts_at) return 'to come'
  return ends_at !== null && nowMs >= ends_at ? 'over' : 'in force'
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16)
}
