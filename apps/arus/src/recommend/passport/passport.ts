import type { ExperimentMark, ShadowAnswer } from '../../experiments/treatment.ts'
import { madeOnce } from '../../kept-on.ts'
import type { RuleKind } from '../../rules/rule.ts'
import type { Arranged } from '../arrange/arranged.ts'
import type { ModelReference, RecommendationAnswer } from '../recommendation.ts'
import type { Retrieved } from '../retrieve/blend.ts'
import type { Pairs } from '../retrieve/retrieve.ts'
import type { ShopperPast } from '../retrieve/shopper-past.ts'

/** Events and candidates kept in a passport. */
const EVENT_LIMIT = 50
const CANDIDATE_LIMIT = 50
/** Excluded products kept: the API takes 200 texts. */
const EXCLUDE_LIMIT = 500
/** Products kept of those that one rule touched. */
const TOUCHED_LIMIT = 20

/** An event an answer rested on, by its place in the log. */
export interface PassportEvent {
  readonly partition: number
  readonly offset: number
  readonly product_id: string
  readonly action: string
}

/** What was asked, as far as it can change the answer. */
export interface PassportRequest {
  readonly kind: 'user' | 'session' | 'similar' | 'cart'
  /** The product asked about, for `similar`. */
  readonly product_id: string | null
  /** The products of the cart asked about, for `cart`. */
  readonly cart?: readonly string[]
  readonly limit: number
  readonly category: string | null
  readonly min_price: number | null
  readonly max_price: number | null
  /** Null where there were more than are kept. */
  readonly exclude: readonly string[] | null
  /** Products on the pages before; absent on the first. */
  readonly shown_count?: number
}

/** Rules that were in force. */
export interface PassportRules {
  /** The state of all rules of the shop; see `RuleStore.at`. 0 for rules that were never stored. */
  readonly revision: number
  /** The moment at which they were in force, UTC milliseconds. */
  readonly in_force_at: number
  /** Those that changed something. Of the products each touched at most 20 are named. */
  readonly applied: readonly {
    readonly id: string
    readonly kind: RuleKind
    readonly name: string
    readonly product_count: number
    readonly products: readonly string[]
  }[]
}

/** The parts that were there; what was away is null or false. */
export interface PassportParts {
  readonly catalogue: string | null
  readonly model: number | null
  readonly live: boolean
}

/** Where an answer came from. Stored in the log topic `recommendations`, as `passportText` writes it. */
export interface Passport {
  readonly recommendation_id: string
  readonly user_id: string | null
  readonly session_id: string | null
  readonly scenario: string
  /** UTC milliseconds. */
  readonly generated_at: number
  readonly fallback: string | null
  /** Milliseconds until the answer was made; null in passports of before it was kept. */
  readonly took_ms: number | null
  /** The experiments it belongs to. */
  readonly experiments: readonly ExperimentMark[]
  /** What models in the shadow would have answered. */
  readonly shadows?: readonly ShadowAnswer[]
  /** Newest first, at most 50. */
  readonly events: readonly PassportEvent[]
  /** Those that came before, by their partition and offset. */
  readonly earlier_events: readonly (readonly [partition: number, offset: number])[]
  /** How many of the newest were of the session asked with. */
  readonly session_event_count: number
  /** Null in passports of before it was kept. */
  readonly request: PassportRequest | null
  readonly parts: PassportParts | null
  readonly model: ModelReference | null
  /** Per retriever its share of the blend and what it brought, best first, at most 50 in all. */
  readonly retrievers: readonly {
    readonly retriever: string
    readonly weight: number
    readonly candidates: readonly { readonly product_id: string; readonly score: number }[]
  }[]
  /** What live state said of products that the model did not know: what goes with each, with scores. Counts fade, and are not kept. */
  readonly pairs?: readonly {
    readonly product_id: string
    readonly partners: readonly (readonly [product_id: string, score: number])[]
  }[]
  readonly filters: readonly string[]
  /** Absent where no rule was in force. */
  readonly rules?: PassportRules
  /** Absent where no rule explored. `pool`: how many products could be drawn for the first place. */
  readonly exploration?: { readonly probability: number; readonly pool: number }
  /** What trended, where rules were in force and it was looked at: trends fade, and are not kept. */
  readonly trending?: readonly (readonly [product_id: string, trend_score: number])[]
  readonly result: readonly PassportResult[]
}

/** A product of the answer. */
export interface PassportResult {
  readonly product_id: string
  readonly rank: number
  /** After boosts. */
  readonly score: number
  readonly reason: string
  /** How likely this product was at this rank, given those above it; absent where no rule explored. */
  readonly propensity?: number
}

/** What the passport of an answer is made from. */
export interface PassportSource {
  readonly answer: RecommendationAnswer
  readonly generatedAtMs: number
  readonly sessionId: string | null
  readonly past: ShopperPast
  readonly retrieved: readonly Retrieved[]
  readonly pairs: Pairs
  readonly filters: readonly string[]
  readonly experiments: readonly ExperimentMark[]
  readonly request: Omit<PassportRequest, 'exclude'> & { readonly exclude: readonly string[] }
  readonly parts: PassportParts
  readonly rules: { readonly revision: number; readonly atMs: number } | null
  readonly arranged: Arranged | null
}

/** The compact record of where an answer came from. Passports of the same past and the same candidates share their lists. */
export function passportOf(source: PassportSource): Passport {
  const { answer, past } = source
  return {
    recommendation_id: answer.recommendation_id,
    user_id: answer.user_id,
    session_id: source.sessionId,
    scenario: answer.scenario,
    generated_at: source.generatedAtMs,
    fallback: answer.fallback,
    took_ms: answer.took_ms,
    experiments: source.experiments,
    ...eventsOf(past.events),
    session_event_count: past.sessionEventCount,
    request: {
      ...source.request,
      exclude: source.request.exclude.length > EXCLUDE_LIMIT ? null : source.request.exclude,
    },
    parts: source.parts,
    model: answer.model,
    retrievers: retrieversOf(source.retrieved),
    pairs: Array.from(source.pairs, ([product_id, partners]) => ({
      product_id,
      partners: partners.map((partner) => [partner.product_id, partner.score] as const),
    })),
    filters: source.filters,
    ...ruledBy(source),
    result: resultOf(answer, source.arranged),
  }
}

/** The products of an answer as a passport keeps them. */
function resultOf({ recommendations }: RecommendationAnswer, arranged: Arranged | null): Passport['result'] {
  const result = plainResultOf(recommendations)
  const propensities = arranged?.exploration?.propensities
  if (propensities === undefined) return result
  return result.map((product, position) => ({
    ...product,
    propensity: rounded(propensities[position] ?? 1),
  }))
}

function ruledBy({ rules, arranged }: PassportSource): Pick<Passport, 'rules' | 'exploration' | 'trending'> {
  if (rules === null || arranged === null) return {}
  const { applied, exploration, trending } = arranged
  return {
    rules: {
      revision: rules.revision,
      in_force_at: rules.atMs,
      applied: applied.map(({ rule, products }) => ({
        id: rule.id,
        kind: rule.kind,
        name: rule.name,
        product_count: products.length,
        products: products.slice(0, TOUCHED_LIMIT),
      })),
    },
    ...(exploration === null
      ? {}
      : { exploration: { probability: exploration.probability, pool: exploration.poolSize } }),
    ...(trending.length === 0 ? {} : { trending }),
  }
}

type Events = Pick<Passport, 'events' | 'earlier_events'>

const eventsOf = madeOnce(
  (events: ShopperPast['events']): Events => ({
    events: events.slice(0, EVENT_LIMIT).map(({ partition, offset, product_id, action }) => ({
      partition,
      offset,
      product_id,
      action,
    })),
    earlier_events: events.slice(EVENT_LIMIT).map(({ partition, offset }) => [partition, offset] as const),
  }),
)

const retrieversOf = madeOnce((retrieved: readonly Retrieved[]): Passport['retrievers'] => {
  const candidatesEach = Math.floor(CANDIDATE_LIMIT / Math.max(1, retrieved.length))
  return retrieved.map(({ retriever, weight, candidates }) => ({
    retriever,
    weight,
    candidates: candidates
      .slice(0, candidatesEach)
      .map(({ product_id, score }) => ({ product_id, score: rounded(score) })),
  }))
})

const plainResultOf = madeOnce((items: RecommendationAnswer['recommendations']): Passport['result'] =>
  items.map(({ product_id, rank, score, reason }) => ({ product_id, rank, score, reason: reason.kind })),
)

/** Six decimals, or six significant digits of what is smaller than a thousandth: enough to compare, short in the log. */
export function rounded(score: number): number {
  if (score >= 0.001) return Math.round(score * 1e6) / 1e6
  return score === 0 ? 0 : Number(score.toPrecision(6))
}
