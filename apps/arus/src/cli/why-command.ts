import { Command } from 'commander'
import type { PassportBody } from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'
import { codeOf, detailOf, openApi } from './api-client.ts'
import type { CliContext } from './context.ts'
import { textTable } from './table.ts'

interface WhyOptions {
  readonly recompute?: true
  readonly json?: true
}

/** Events and candidates printed; `--json` has all that are kept. */
const SHOWN = 10

/** `arus why`: asks the running server for the passport of an answer and prints it for people. */
export function whyCommand(context: CliContext): Command {
  return new Command('why')
    .description('explain an answer given before: what it rested on, and what came of it')
    .argument('<recommendation_id>', '"recommendation_id" of the answer')
    .option('--recompute', 'compute the answer again and compare')
    .option('--json', 'print the answer of the API')
    .action(async (recommendationId: string, options: WhyOptions) => {
      const api = openApi(context)
      const query = options.recompute === true ? '?recompute=true' : ''
      const { status, body } = await api.get(
        `/recommendations/${encodeURIComponent(recommendationId)}${query}`,
      )
      if (status !== 200) {
        throw new ArusError(codeOf(body), detailOf(body))
      }
      const passport = body as PassportBody
      context.out(options.json === true ? JSON.stringify(passport, null, 2) : explained(passport))
    })
}

/** The passport as text, in the order in which the answer came about. */
export function explained(passport: PassportBody): string {
  const sections = [
    askedOf(passport),
    eventsOf(passport),
    madeByOf(passport),
    experimentsOf(passport),
    candidatesOf(passport),
    rulesOf(passport),
    resultOf(passport),
    recomputedOf(passport),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

function askedOf({
  recommendation_id,
  user_id,
  session_id,
  scenario,
  generated_at,
  request,
}: PassportBody): string {
  const who = [
    ...(user_id === null ? [] : [`shopper ${user_id}`]),
    ...(session_id === null ? [] : [`session ${session_id}`]),
    ...(request?.product_id ? [`product ${request.product_id}`] : []),
  ]
  const given = `Given ${new Date(generated_at).toISOString()} for ${who.join(', ') || 'nobody'}, scenario ${scenario}`
  return `Answer ${recommendation_id}\n${given}${request === null ? '' : `\nAsked for ${wishesOf(request)}`}`
}

function wishesOf(request: NonNullable<PassportBody['request']>): string {
  const { limit, category, min_price, max_price, exclude } = request
  return [
    `${limit} ${limit === 1 ? 'product' : 'products'}`,
    ...(category === null ? [] : [`of category ${category}`]),
    ...(min_price === null ? [] : [`from ${min_price}`]),
    ...(max_price === null ? [] : [`up to ${max_price}`]),
    ...(exclude?.length === 0 ? [] : [`without ${exclude?.join(', ') ?? 'a long list of products'}`]),
  ].join(', ')
}

function eventsOf({ events, earlier_events, session_event_count }: PassportBody): string {
  const count = events.length + earlier_events.length
  if (count === 0) return 'Rested on no events.'
  const ofSession = session_event_count > 0 ? `, the first ${session_event_count} of the session` : ''
  return `Rested on ${count} ${count === 1 ? 'event' : 'events'} of the log, newest first${ofSession}\n${textTable(
    ['partition', 'offset', 'action', 'product'],
    events
      .slice(0, SHOWN)
      .map(({ partition, offset, action, product_id }) => [partition, offset, action, product_id]),
  )}${moreOf(count - Math.min(SHOWN, events.length))}`
}

function madeByOf({ model, fallback, training, parts }: PassportBody): string {
  const by =
    model === null
      ? `No model answered (${fallback === null ? 'by content' : `fallback: ${fallback}`})`
      : `Answered by model ${model.name} version ${model.version}, trained ${model.trained_at}`
  if (training === null)
    return parts?.model == null ? by : `${by}\nThe registry no longer knows version ${parts.model}`
  const tables = Object.entries(training.table_versions).map(
    ([table, version]) => `${table} version ${version}`,
  )
  const from = `${training.interaction_count} interactions of ${training.user_count} shoppers with ${training.product_count} products`
  return `${by}\nVersion ${training.version} was trained from ${tables.join(', ') || 'no table'}: ${from}`
}

function experimentsOf({ experiments, shadows }: PassportBody): string {
  const lines = experiments.map(({ id, variant, fell_back }) => {
    const by = fell_back === null ? '' : `, answered by production: ${fell_back}`
    return `Experiment ${id}: variant ${variant}${by}`
  })
  if (shadows.length === 0) return lines.join('\n')
  const table = textTable(
    ['experiment', 'variant', 'model', 'in common', 'agreement', 'ms', 'would have answered'],
    shadows.map(({ id, variant, model_version, overlap, rank_agreement, took_ms, products }) => [
      ...[id, variant, model_version, `${Math.round(overlap * 100)} %`, rank_agreement.toFixed(2), took_ms],
      products.slice(0, SHOWN).join(', '),
    ]),
  )
  return [...lines, `In the shadow\n${table}`].join('\n')
}

function candidatesOf({ retrievers, filters }: PassportBody): string {
  const filtered =
    filters.length === 0 ? 'No filter left anything out' : `Filters at work: ${filters.join(', ')}`
  if (retrievers.length === 0) return `No retriever brought candidates\n${filtered}`
  return `Candidates\n${textTable(
    ['retriever', 'share', 'brought', 'best'],
    retrievers.map(({ retriever, weight, candidates }) => [
      retriever,
      weight,
      candidates.length,
      candidates
        .slice(0, 3)
        .map(({ product_id, score }) => `${product_id} (${score})`)
        .join(', '),
    ]),
  )}\n${filtered}`
}

function rulesOf({ rules, exploration }: PassportBody): string {
  if (rules === undefined) return ''
  const { revision, applied } = rules
  if (applied.length === 0) return `No rule of the business changed anything (revision ${revision})`
  const table = textTable(
    ['rule', 'kind', 'name', 'touched', 'among them'],
    applied.map(({ id, kind, name, product_count, products }) => [
      id,
      kind,
      name,
      product_count,
      products.slice(0, 3).join(', '),
    ]),
  )
  const drawn =
    exploration === undefined
      ? ''
      : `\nEach place was given to a product at random with probability ${exploration.probability}, from ${exploration.pool}`
  return `Rules of the business (revision ${revision})\n${table}${drawn}`
}

function resultOf({ result, outcome }: PassportBody): string {
  const came = new Map(outcome?.products.map((product) => [product.product_id, product]))
  const table = textTable(
    ['rank', 'product', 'score', 'why', 'seen', 'clicked', 'bought', 'revenue'],
    result.map(({ rank, product_id, score, reason }) => {
      const what = came.get(product_id)
      const bought = (what?.purchases ?? 0) + (what?.view_purchases ?? 0)
      return [
        rank,
        product_id,
        score,
        reason,
        momentOf(what?.seen_at),
        momentOf(what?.clicked_at),
        what === undefined ? '?' : bought,
        what === undefined ? '?' : (what.revenue + what.view_revenue).toFixed(2),
      ]
    }),
  )
  return `Answer, and what came of it\n${table}${lakeNoteOf(outcome)}`
}

function lakeNoteOf(outcome: PassportBody['outcome']): string {
  if (outcome === null) return '\nThe lake cannot be asked now, so what came of it is not known.'
  if (outcome.products.length > 0) return ''
  return '\nThe answer is not in the lake yet; ask again in some seconds for what came of it.'
}

function recomputedOf({ recomputed }: PassportBody): string {
  if (recomputed === null) return ''
  const { kind, reasons, result } = recomputed
  const because = reasons.map((reason) => `\n  ${reason}`).join('')
  if (kind === 'same') return `Computed again: the same answer.${because}`
  if (kind === 'impossible') return `It cannot be computed again:${because}`
  const table = textTable(
    ['rank', 'product', 'score', 'why'],
    result.map(({ rank, product_id, score, reason }) => [rank, product_id, score, reason]),
  )
  return `Computed again: another answer.${because}\n${table}`
}

function momentOf(ms: number | null | undefined): string {
  if (ms === undefined) return '?'
  return ms === null ? '–' : new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

function moreOf(count: number): string {
  return count <= 0 ? '' : `\nand ${count} more`
}
