import { Command, Option } from 'commander'
import type { Recommendation, RecommendedProduct, Trending } from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'
import { type ApiClient, codeOf, detailOf, openApi } from './api-client.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

interface RecommendOptions {
  readonly user?: string
  readonly session?: string
  readonly similar?: string
  readonly cart?: string
  readonly trending?: true
  readonly limit: string
  readonly category?: string
  readonly scenario?: string
  readonly json?: true
}

const TITLE_LENGTH = 60
const REASON_LENGTH = 44

/** `arus recommend`: asks the running server and prints products with the reason for each. */
export function recommendCommand(context: CliContext): Command {
  return new Command('recommend')
    .description('show what Arus recommends, and why')
    .option('--user <id>', 'for a shopper')
    .option('--session <id>', 'for a session, or with --user its session under way')
    .addOption(
      new Option('--similar <product>', 'products like this one').conflicts(['user', 'session', 'trending']),
    )
    .addOption(
      new Option('--cart <products>', 'what goes with these, comma-separated').conflicts([
        'user',
        'session',
        'similar',
        'trending',
      ]),
    )
    .addOption(new Option('--trending', 'what is rising now').conflicts(['user', 'session', 'similar']))
    .option('--limit <count>', 'how many, 1 to 100', '10')
    .option('--category <name>', 'only of this category (id or name)')
    .option('--scenario <name>', 'where it is shown: rules of the business go by it')
    .option('--json', 'print the answer of the API')
    .action(async (options: RecommendOptions) => {
      const api = openApi(context)
      const answer = await ask(api, pathOf(options))
      context.out(options.json === true ? JSON.stringify(answer, null, 2) : described(answer))
    })
}

/** The path of the API that the options ask for; throws `REQUEST_INVALID` when they ask for nothing. */
export function pathOf(options: RecommendOptions): string {
  const { user, session, similar, cart, trending, limit, category, scenario } = options
  const query = new URLSearchParams({ limit })
  if (trending === true) return `/recommendations/trending?${query}`
  if (category !== undefined) query.set('category', category)
  if (scenario !== undefined) query.set('scenario', scenario)
  if (similar !== undefined) return `/recommendations/similar/${encodeURIComponent(similar)}?${query}`
  if (cart !== undefined) {
    query.set('products', cart)
    return `/recommendations/cart?${query}`
  }
  if (user !== undefined) {
    if (session !== undefined) query.set('session_id', session)
    return `/recommendations/user/${encodeURIComponent(user)}?${query}`
  }
  if (session !== undefined) return `/recommendations/session/${encodeURIComponent(session)}?${query}`
  throw new ArusError(
    'REQUEST_INVALID',
    'Say for whom: --user ID, --session ID, --similar PRODUCT, --cart PRODUCTS or --trending.',
  )
}

async function ask(api: ApiClient, path: string): Promise<Recommendation | Trending> {
  const { status, body } = await api.get(path)
  if (status === 200) return body as Recommendation | Trending
  throw new ArusError(codeOf(body), detailOf(body))
}

/** The answer as a table for a terminal, with what gave it underneath. */
export function described(answer: Recommendation | Trending): string {
  const products: readonly RecommendedProduct[] =
    'trending' in answer ? answer.trending : answer.recommendations
  if (products.length === 0) return `Nothing to recommend; ${sourceOf(answer)}.`
  const table = textTable(
    ['rank', 'product', 'title', 'price', 'score', 'why'],
    products.map((product) => [
      product.rank,
      product.product_id,
      shortened(product.title ?? '–', TITLE_LENGTH),
      product.price === null ? '–' : product.price.toFixed(2),
      product.score.toFixed(3),
      whyOf(product),
    ]),
  )
  return `${table}\n\n${sourceOf(answer)}, ${answer.took_ms.toFixed(2)} ms`
}

function whyOf({ reason }: RecommendedProduct): string {
  const source = reason.because_of
  if (source === undefined) return reason.kind
  const name = shortened(source.title ?? source.product_id, REASON_LENGTH)
  const words: Readonly<Record<string, string>> = {
    because_of: `because of ${name}`,
    session: `in this session: ${name}`,
    bought_together: `bought together with ${name}`,
    seen_together: `seen together with ${name}`,
  }
  return words[reason.kind] ?? `similar to ${name}`
}

function sourceOf(answer: Recommendation | Trending): string {
  if (answer.fallback !== null) return `fallback: ${answer.fallback}`
  if ('trending' in answer) return 'trends of now'
  if (answer.model === null) return 'by content'
  return `model ${answer.model.name} version ${answer.model.version}, trained ${answer.model.trained_at}`
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
