import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { HistoryItem, TrendingProduct } from '../../live/live-state.ts'
import type { Rule } from '../../rules/rule.ts'
import { RulesByScenario } from '../../rules/rules-by-scenario.ts'
import type { ServingModel } from '../../training/serving-model.ts'
import { askOf } from '../ask-of.ts'
import type { LiveReads, PartsNow } from '../levels.ts'
import { createRecommender } from '../recommender.ts'
import type { Passport, PassportParts, PassportRequest } from './passport.ts'

/** An answer computed again from its passport. */
export interface Recomputed {
  /** `impossible`: something it rested on is gone, so nothing was computed. */
  readonly kind: 'same' | 'different' | 'impossible'
  /** Why it is impossible, or what is not as it was. Empty when all was. */
  readonly reasons: readonly string[]
  readonly result: Passport['result']
}

/** What an answer is computed again from. */
export interface RecomputeSource {
  /** Events at these places, in this order; null for one that is gone. */
  readonly readEvents: (
    places: readonly (readonly [partition: number, offset: number])[],
  ) => Promise<readonly (HistoryItem | null)[]>
  /** A version made ready to answer, or why that cannot be. */
  readonly loadModel: (version: number) => Promise<ServingModel | { readonly gone: string }>
  readonly catalogue: () => Catalogue | null
  /** Rules of the shop as they were at a revision; null when they are no longer known. */
  readonly rulesAt: (revision: number) => Promise<readonly Rule[] | null>
}

/**
 * Asks the recommender once more, with the events, the model version and the request of the passport. What trended and what
 * went together then is taken from the passport: both fade and are not kept. Says what stands in the way rather than guessing.
 */
export async function recompute(passport: Passport, source: RecomputeSource): Promise<Recomputed> {
  const { request, parts } = passport
  if (!request || !parts) {
    return impossible(['It was given by an earlier version of Arus, which did not keep the request.'])
  }
  const catalogue = source.catalogue()
  const obstacles = obstaclesIn(request, parts, catalogue)
  const events = await eventsOf(passport, source, obstacles)
  const model = await modelOf(parts, source, obstacles)
  const rules = await rulesOf(passport, source, obstacles)
  if (obstacles.length > 0) return impossible(obstacles)
  const live = parts.live ? new PastLive(passport, events) : null
  const { fallback, result } = await answerAgain(passport, request, { catalogue, model, live, rules })
  const isSame = fallback === passport.fallback && isEqual(result, passport.result)
  return { kind: isSame ? 'same' : 'different', reasons: changesSince(parts, catalogue), result }
}

function impossible(reasons: readonly string[]): Recomputed {
  return { kind: 'impossible', reasons, result: [] }
}

function obstaclesIn(request: PassportRequest, parts: PassportParts, catalogue: Catalogue | null): string[] {
  const obstacles: string[] = []
  if (request.exclude === null) obstacles.push('More products were excluded than a passport keeps.')
  if (parts.catalogue === null) {
    obstacles.push('The catalogue was away then: the answer was made of best sellers remembered from before.')
  }
  if (catalogue === null) obstacles.push('The catalogue is not there now; try again in a second.')
  return obstacles
}

async function eventsOf(
  { events, earlier_events }: Passport,
  { readEvents }: RecomputeSource,
  obstacles: string[],
): Promise<HistoryItem[]> {
  const places = [...events.map(({ partition, offset }) => [partition, offset] as const), ...earlier_events]
  const found = (await readEvents(places)).filter((event) => event !== null)
  const goneCount = places.length - found.length
  if (goneCount > 0) {
    obstacles.push(`${goneCount} of the ${places.length} events it rested on are no longer in the log.`)
  }
  return found
}

async function modelOf(
  parts: PassportParts,
  { loadModel }: RecomputeSource,
  obstacles: string[],
): Promise<ServingModel | null> {
  if (parts.model === null) return null
  const model = await loadModel(parts.model)
  if (!('gone' in model)) return model
  obstacles.push(`Model version ${parts.model} is gone: ${model.gone}`)
  return null
}

async function rulesOf(
  { rules }: Passport,
  { rulesAt }: RecomputeSource,
  obstacles: string[],
): Promise<RulesByScenario | null> {
  if (rules === undefined) return null
  const known = await rulesAt(rules.revision)
  if (known !== null) return new RulesByScenario(known, rules.revision)
  obstacles.push(`The rules of then (revision ${rules.revision}) are no longer known.`)
  return null
}

async function answerAgain(
  passport: Passport,
  request: PassportRequest,
  parts: PartsNow & { readonly rules: RulesByScenario | null },
): Promise<Passport> {
  const { generated_at, recommendation_id, scenario, rules } = passport
  let again: Passport | null = null
  const recommender = createRecommender({
    catalogue: () => parts.catalogue,
    live: () => parts.live,
    model: () => parts.model,
    rules: () => parts.rules?.at(scenario, rules?.in_force_at ?? generated_at) ?? null,
    onAnswer: (made) => {
      again = made
    },
    now: () => generated_at,
    uuid: () => recommendation_id,
  })
  await askOf(recommender, { ...passport, request })
  return again ?? passport
}

function changesSince(parts: PassportParts, catalogue: Catalogue | null): string[] {
  if (parts.catalogue === catalogue?.version) return []
  return [`The catalogue is another than then (${catalogue?.version} now, ${parts.catalogue} then).`]
}

function isEqual(a: Passport['result'], b: Passport['result']): boolean {
  return (
    a.length === b.length &&
    a.every((item, i) => {
      const other = b[i]
      return (
        item.product_id === other?.product_id &&
        item.score === other.score &&
        item.reason === other.reason &&
        item.propensity === other.propensity
      )
    })
  )
}

function trendOf(product_id: string, trend_score: number): TrendingProduct {
  return { product_id, trend_score, views_today: 0, growth_rate: null }
}

/** What live state said of one shopper when the answer was given. */
class PastLive implements LiveReads {
  readonly #passport: Passport
  readonly #session: readonly HistoryItem[]
  readonly #history: readonly HistoryItem[]

  constructor(passport: Passport, events: readonly HistoryItem[]) {
    this.#passport = passport
    this.#session = events.slice(0, passport.session_event_count)
    this.#history = events.slice(passport.session_event_count)
  }

  async history(): Promise<readonly HistoryItem[]> {
    return this.#history
  }

  async session(): Promise<readonly HistoryItem[]> {
    return this.#session
  }

  trending(): ReturnType<LiveReads['trending']> {
    const kept = this.#passport.trending
    if (kept !== undefined) return kept.map(([product_id, score]) => trendOf(product_id, score))
    return this.#passport.result
      .filter(({ reason }) => reason === 'trending')
      .map(({ product_id, score }) => trendOf(product_id, score))
  }

  async goesWith(productId: string): ReturnType<LiveReads['goesWith']> {
    const pairs = this.#passport.pairs?.find(({ product_id }) => product_id === productId)
    return (pairs?.partners ?? []).map(([product_id, score]) => ({ product_id, score }))
  }

  countRecommendation(): void {}
}
