import { Command, InvalidArgumentError, Option } from 'commander'
import type { RulesPreviewBody } from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'
import { codeOf, detailOf, openApi } from './api-client.ts'
import type { CliContext } from './context.ts'
import { readRules } from './read-rules.ts'
import { textTable } from './table.ts'

interface PreviewOptions {
  readonly user?: string
  readonly session?: string
  readonly similar?: string
  readonly cart?: string
  readonly scenario?: string
  readonly limit: number
  readonly without?: readonly string[]
  readonly at?: string
  readonly json?: true
}

const TITLE_LENGTH = 50

/** `arus rules preview`: asks the running server what the rules of a file would change in one answer. */
export function rulesPreviewCommand(context: CliContext): Command {
  return new Command('preview')
    .description('show what rules would change in an answer, before they are kept')
    .argument('[file]', 'rules as JSON, as for "add"')
    .option('--user <id>', 'for a shopper; for somebody who did nothing when nobody is named')
    .option('--session <id>', 'for a session, or with --user its session under way')
    .addOption(new Option('--similar <product>', 'products like this one').conflicts(['user', 'session']))
    .addOption(
      new Option('--cart <products>', 'what goes with these, comma-separated').conflicts([
        'user',
        'session',
        'similar',
      ]),
    )
    .option('--scenario <name>', 'where it is shown')
    .option('--limit <count>', 'how many, 1 to 100', countOf, 10)
    .option('--without <ids...>', 'kept rules to leave out')
    .option('--at <time>', 'as if it were then: UTC ms or ISO 8601')
    .option('--json', 'print the answer of the API')
    .action(async (file: string | undefined, options: PreviewOptions) => {
      const rules = file === undefined ? [] : await readRules(file)
      const { status, body } = await openApi(context).postJson('/rules/preview', {
        user_id: options.user,
        session_id: options.session,
        product_id: options.similar,
        cart: options.cart?.split(',').filter((id) => id !== ''),
        scenario: options.scenario,
        limit: options.limit,
        without: options.without,
        at: options.at,
        rules,
      })
      if (status !== 200) throw new ArusError(codeOf(body), detailOf(body))
      const preview = body as RulesPreviewBody
      context.out(options.json === true ? JSON.stringify(preview, null, 2) : described(preview))
    })
}

function described({ scenario, after, changes, without_effect }: RulesPreviewBody): string {
  const changed = new Map(changes.map((change) => [change.product_id, change]))
  const rows = after.recommendations.map(({ rank, product_id, title }) => {
    const change = changed.get(product_id)
    const before = change === undefined ? rank : (change.rank_before ?? 'new')
    return [String(rank), String(before), product_id, shortened(title), whyOf(change)]
  })
  const gone = changes
    .filter(({ rank_after }) => rank_after === null)
    .map((change) => [
      'gone',
      String(change.rank_before),
      change.product_id,
      shortened(change.title),
      whyOf(change),
    ])
  const table = textTable(['rank', 'before', 'product', 'title', 'by'], [...rows, ...gone])
  const idle = without_effect.map(({ kind, name }) => `\nWithout effect on this answer: ${kind} "${name}"`)
  return `Scenario ${scenario}\n${table}${idle.join('')}`
}

function whyOf(change: RulesPreviewBody['changes'][number] | undefined): string {
  return change?.rules.map(({ kind, name }) => `${kind} "${name}"`).join(', ') ?? ''
}

function shortened(title: string | null): string {
  if (title === null) return ''
  return title.length <= TITLE_LENGTH ? title : `${title.slice(0, TITLE_LENGTH - 1)}…`
}

function countOf(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= 100) return count
  throw new InvalidArgumentError('expected a whole number from 1 to 100')
}
