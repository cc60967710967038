import type { Catalogue } from '../catalogue/catalogue.ts'
import { ArusError } from '../errors.ts'
import type { Treatment } from '../experiments/treatment.ts'
import type { CompiledRules } from '../rules/compiled-rules.ts'
import type { ServingModel } from '../training/serving-model.ts'
import type { Arranged } from './arrange/arranged.ts'
import { type Eligibility, eligibilityOf } from './eligibility.ts'
import { FaultReporter, type LevelFault } from './fault-reporter.ts'
import { itemOf, itemsOf } from './item.ts'
import { KeptAnswers, type Made } from './kept-answers.ts'
import { climbDown } from './ladder.ts'
import { type Climb, fillerCount, type LiveReads, type PartsNow, type Reached } from './levels.ts'
import {
  type Passport,
  type PassportRequest,
  type PassportSource,
  passportOf,
  rounded,
} from './passport/passport.ts'
import { NO_PAIRS, type Personal, PersonalLevels } from './personal-levels.ts'
import { ProductFacts } from './product-facts.ts'
import type {
  Fallback,
  ModelReference,
  RecommendationAnswer,
  RecommendationFilters,
  RecommendationRequest,
  TrendingAnswer,
  TrendingItem,
} from './recommendation.ts'
import { type RememberedProducts, rememberInMemory } from './remembered-products.ts'
import { readPast } from './retrieve/read-past.ts'
import { NO_PAST, pastOfCart, type ShopperPast } from './retrieve/shopper-past.ts'

/** Best sellers kept for the last level. */
const REMEMBERED_COUNT = 200

export interface RecommenderOptions {
  /** Each gives the part as it is now, or null when it is gone. */
  readonly catalogue: () => Catalogue | null
  readonly live: () => LiveReads | null
  readonly model: () => ServingModel | null
  /** Rules in force in a scenario at a moment (UTC ms); null when there are none. */
  readonly rules?: (scenario: string, atMs: number) => CompiledRules | null
  /** True for a name whose owner was erased, while the model may hold what they did: it is not used for them. */
  readonly isWithheld?: (name: string) => boolean
  /** What the experiments that hold for a shopper (by user id, else session id) and a scenario ask for; null: nothing. */
  readonly treatment?: (unit: string, scenario: string) => Treatment | null
  /** Told of each answer; must not wait. */
  readonly onAnswer?: (passport: Passport, made: MadeAnswer) => void
  /** Told of parts that throw, at most once per level and second. */
  readonly onFault?: (fault: LevelFault) => void
  readonly remembered?: RememberedProducts
  readonly now: () => number
  /** A new UUIDv7. */
  readonly uuid: () => string
  /** For `took_ms`. */
  readonly clockMs?: () => number
}

/** What an answer was made of, beside its passport. */
export interface MadeAnswer {
  readonly arranged: Arranged | null
  /** Answers the same request by another model. */
  readonly again: AnswerAgain
}

/** The ranking that a model would have given where another answered. Counts as no answer. */
export type AnswerAgain = (model: ServingModel) => Promise<OtherRanking>

export interface OtherRanking {
  readonly products: readonly string[]
  readonly fallback: Fallback
  readonly took_ms: number
}

/** Answers what a shopper may like. Never fails because a part does: it says in `fallback` how far down it went. */
export interface Recommender {
  forUser(userId: string, request: RecommendationRequest): Promise<RecommendationAnswer>
  forSession(sessionId: string, request: RecommendationRequest): Promise<RecommendationAnswer>
  /** What goes with the products of a cart, given in the order in which they were added. */
  forCart(products: readonly string[], request: RecommendationRequest): Promise<RecommendationAnswer>
  /** Throws `PRODUCT_UNKNOWN` when neither catalogue nor model knows the product. */
  similar(productId: string, request: RecommendationRequest): Promise<RecommendationAnswer>
  trending(limit: number): TrendingAnswer
}

interface Asked {
  readonly kind: PassportRequest['kind']
  /** The product asked about, for `similar`. */
  readonly productId: string | null
  /** The cart asked about, for `cart`. */
  readonly cart?: readonly string[]
  readonly userId: string | null
  readonly sessionId: string | null
  readonly scenario: string
  readonly request: RecommendationRequest
  readonly startedMs: number
  readonly past: ShopperPast
  readonly eligibility: Eligibility
  readonly treatment: Treatment | null
  readonly rules: RulesNow | null
}

/** Rules of an answer, and the moment at which they were in force. */
interface RulesNow {
  readonly compiled: CompiledRules
  readonly atMs: number
}

/** What an answer is shown as where nothing else was asked for. */
const SCENARIOS: Readonly<Record<Asked['kind'], string>> = {
  user: 'for_you',
  session: 'session',
  similar: 'similar',
  cart: 'cart',
}

/** See `Recommender`. */
export function createRecommender(options: RecommenderOptions): Recommender {
  return new LadderRecommender(options)
}

class LadderRecommender implements Recommender {
  readonly #options: RecommenderOptions
  readonly #clockMs: () => number
  readonly #faults: FaultReporter
  readonly #remembered: RememberedProducts
  readonly #personal: PersonalLevels
  readonly #facts: ProductFacts
  readonly #kept = new KeptAnswers()
  #rememberedVersion: string | null = null
  #reference: { readonly model: ServingModel; readonly value: ModelReference } | null = null

  constructor(options: RecommenderOptions) {
    this.#options = options
    this.#clockMs = options.clockMs ?? (() => performance.now())
    this.#faults = new FaultReporter(options.onFault ?? (() => {}), options.now)
    this.#remembered = options.remembered ?? rememberInMemory()
    this.#personal = new PersonalLevels(this.#faults)
    this.#facts = new ProductFacts(this.#faults)
  }

  async forUser(userId: string, request: RecommendationRequest): Promise<RecommendationAnswer> {
    const startedMs = this.#clockMs()
    const sessionId = request.sessionId ?? null
    const past = await readPast(this.#options.live, { userId, sessionId }, this.#faults)
    return this.#answer(this.#asked('user', request, past, { userId, sessionId, startedMs }))
  }

  async forSession(sessionId: string, request: RecommendationRequest): Promise<RecommendationAnswer> {
    const startedMs = this.#clockMs()
    const past = await readPast(this.#options.live, { userId: null, sessionId }, this.#faults)
    return this.#answer(this.#asked('session', request, past, { sessionId, startedMs }))
  }

  async forCart(products: readonly string[], request: RecommendationRequest): Promise<RecommendationAnswer> {
    const startedMs = this.#clockMs()
    return this.#answer(this.#asked('cart', request, pastOfCart(products), { cart: products, startedMs }))
  }

  async similar(productId: string, request: RecommendationRequest): Promise<RecommendationAnswer> {
    const startedMs = this.#clockMs()
    const parts = this.#parts()
    const filtered = { ...request, exclude: [productId, ...(request.exclude ?? [])] }
    const all = this.#asked('similar', filtered, NO_PAST, { productId, startedMs })
    const kept = this.#kept.find(all, parts)
    if (kept !== null)
      return this.#compose(all, parts, { made: kept, recommendationId: this.#options.uuid() })
    const faultCount = this.#faults.count
    const personal = await this.#personalOf(all, parts)
    const { product, isGone } = this.#facts.of(parts.catalogue, productId)
    if (product === undefined && !isGone && personal.retrieved.length === 0) {
      throw new ArusError('PRODUCT_UNKNOWN', `No product ${JSON.stringify(productId)} in the catalogue.`, {
        details: { product_id: productId },
      })
    }
    return this.#make(all, parts, { personal, faultCount })
  }

  trending(limit: number): TrendingAnswer {
    const startedMs = this.#clockMs()
    const parts = this.#parts()
    const trends = this.#faults.attempt('trending', [], () => parts.live?.trending(fillerCount(limit)) ?? [])
    const figures = new Map(trends.map((trend) => [trend.product_id, trend]))
    const { picks, fallback } = this.#climb(
      parts,
      { past: NO_PAST, request: { limit }, ...this.#limits('trending', NO_PAST, {}) },
      { personal: { retrieved: [], level: null, pairs: NO_PAIRS }, seed: null },
    )
    const trending: TrendingItem[] = picks.map((pick, position) => {
      const trend = figures.get(pick.product_id)
      return {
        ...itemOf(pick, position + 1),
        trend_score: rounded(trend?.trend_score ?? 0),
        views_today: trend?.views_today ?? 0,
        growth_rate: trend?.growth_rate ?? null,
      }
    })
    return {
      trending,
      fallback: fallback === 'trending' ? null : fallback,
      generated_at: new Date(this.#options.now()).toISOString(),
      took_ms: this.#sinceMs(startedMs),
    }
  }

  async #answer(asked: Asked): Promise<RecommendationAnswer> {
    const treatment = this.#treatmentOf(asked)
    const treated = treatment === null ? asked : { ...asked, treatment }
    const parts = this.#partsFor(treated)
    const kept = this.#kept.find(treated, parts)
    if (kept !== null)
      return this.#compose(treated, parts, { made: kept, recommendationId: this.#options.uuid() })
    const faultCount = this.#faults.count
    const personal = await this.#personalOf(treated, parts)
    return this.#make(treated, parts, { personal, faultCount })
  }

  async #personalOf(asked: Asked, parts: PartsNow): Promise<Personal> {
    const { productId } = asked
    if (productId === null) {
      const pairs = await this.#personal.pairsOf(parts, asked.past.products)
      return this.#personal.forShopper(parts, { ...asked, pairs })
    }
    const pairs = await this.#personal.pairsOf(parts, [{ product_id: productId, weight: 1 }])
    return { retrieved: this.#personal.forProduct(parts, productId, pairs), level: null, pairs }
  }

  /** Who asks is the unit of experiments; a product or a cart alone is nobody. */
  #treatmentOf({ userId, sessionId, scenario }: Asked): Treatment | null {
    const { treatment } = this.#options
    const unit = userId ?? sessionId
    if (treatment === undefined || unit === null) return null
    return this.#faults.attempt('experiments', null, () => treatment(unit, scenario))
  }

  #partsFor(asked: Asked): PartsNow {
    const parts = this.#parts()
    if (this.#isWithheld(asked)) return { ...parts, model: null }
    return asked.treatment?.model ? { ...parts, model: asked.treatment.model } : parts
  }

  #asked(
    kind: Asked['kind'],
    request: RecommendationRequest,
    past: ShopperPast,
    of: Pick<Asked, 'startedMs'> & Partial<Pick<Asked, 'userId' | 'sessionId' | 'productId' | 'cart'>>,
  ): Asked {
    const scenario = request.scenario ?? SCENARIOS[kind]
    const { eligibility, rules } = this.#limits(scenario, past, request)
    const nobody = { productId: null, userId: null, sessionId: null, treatment: null }
    return { kind, ...nobody, scenario, request, past, eligibility, rules, ...of }
  }

  /** What may be in an answer, and which rules put it in order. */
  #limits(
    scenario: string,
    past: ShopperPast,
    filters: RecommendationFilters,
  ): Pick<Asked, 'eligibility' | 'rules'> {
    const rules = this.#rulesNow(scenario)
    if (rules === null) return { eligibility: eligibilityOf(past, filters), rules }
    const catalogue = this.#faults.attempt('catalogue', null, this.#options.catalogue)
    return { eligibility: eligibilityOf(past, filters, rules.compiled.exclusionIn(catalogue)), rules }
  }

  #rulesNow(scenario: string): RulesNow | null {
    const { rules } = this.#options
    if (rules === undefined) return null
    const atMs = this.#options.now()
    const compiled = this.#faults.attempt('rules', null, () => rules(scenario, atMs))
    return compiled === null ? null : { compiled, atMs }
  }

  /** Kept where no part failed since `faultCount`: what stands in for a part that fails is not to outlast it. */
  #make(
    asked: Asked,
    parts: PartsNow,
    { personal, faultCount }: { readonly personal: Personal; readonly faultCount: number },
  ): RecommendationAnswer {
    const recommendationId = this.#options.uuid()
    const reached = this.#climb(parts, asked, { personal, seed: recommendationId })
    const made = { personal, reached }
    if (this.#faults.count === faultCount) this.#kept.keep(asked, parts, made)
    return this.#compose(asked, parts, { made, recommendationId })
  }

  #compose(
    asked: Asked,
    parts: PartsNow,
    { made, recommendationId }: { readonly made: Made; readonly recommendationId: string },
  ): RecommendationAnswer {
    const { personal, reached } = made
    const generatedAtMs = this.#options.now()
    const marks = asked.treatment?.marks ?? []
    const answer: RecommendationAnswer = {
      recommendation_id: recommendationId,
      user_id: asked.userId,
      scenario: asked.scenario,
      recommendations: itemsOf(reached.picks),
      model: usesModel(personal, reached) ? this.#referenceTo(parts.model) : null,
      fallback: reached.fallback,
      ...(marks.length === 0 ? {} : { experiments: marks.map(({ id, variant }) => ({ id, variant })) }),
      generated_at: new Date(generatedAtMs).toISOString(),
      took_ms: this.#sinceMs(asked.startedMs),
    }
    this.#tell(answer, { asked, personal, generatedAtMs, arranged: reached.arranged }, parts)
    return answer
  }

  #climb(
    parts: PartsNow,
    { past, request, eligibility, rules }: Pick<Asked, 'past' | 'request' | 'eligibility' | 'rules'>,
    { personal, seed }: { readonly personal: Personal } & Pick<Climb, 'seed'>,
  ): Reached {
    this.#rememberBestSellers(parts.catalogue)
    return climbDown({
      ...parts,
      limit: request.limit,
      shownCount: request.shownCount ?? 0,
      rules: rules?.compiled ?? null,
      seed,
      eligibility,
      filters: request,
      retrieved: personal.retrieved,
      sessionProducts: past.sessionProducts,
      personalLevel: personal.level,
      remembered: this.#remembered,
      facts: this.#facts,
      faults: this.#faults,
    })
  }

  /** Once per catalogue version. */
  #rememberBestSellers(catalogue: Catalogue | null): void {
    if (catalogue === null) return
    this.#faults.attempt('static', undefined, () => {
      if (catalogue.version === this.#rememberedVersion) return
      this.#rememberedVersion = catalogue.version
      const ids = catalogue.popular(REMEMBERED_COUNT).map(({ product_id }) => product_id)
      const products = catalogue.getMany(ids).filter((product) => product !== undefined)
      if (products.length > 0) this.#remembered.remember(products)
    })
  }

  #tell(
    answer: RecommendationAnswer,
    source: Pick<PassportSource, 'generatedAtMs' | 'arranged'> & {
      readonly asked: Asked
      readonly personal: Personal
    },
    parts: PartsNow,
  ): void {
    const { asked, personal, generatedAtMs, arranged } = source
    this.#faults.attempt('live state', undefined, () => parts.live?.countRecommendation())
    const { onAnswer } = this.#options
    if (onAnswer === undefined) return
    const again: AnswerAgain = (model) =>
      this.#again({ ...asked, seed: answer.recommendation_id }, { ...parts, model })
    this.#faults.attempt('passport', undefined, () =>
      onAnswer(
        passportOf({
          answer,
          generatedAtMs,
          sessionId: asked.sessionId,
          past: asked.past,
          retrieved: personal.retrieved,
          pairs: personal.pairs,
          filters: asked.eligibility.applied,
          experiments: asked.treatment?.marks ?? [],
          arranged,
          rules:
            asked.rules === null ? null : { revision: asked.rules.compiled.revision, atMs: asked.rules.atMs },
          request: requestOf(asked),
          parts: {
            catalogue: parts.catalogue?.version ?? null,
            model: parts.model?.version ?? null,
            live: parts.live !== null,
          },
        }),
        { arranged, again },
      ),
    )
  }

  /** Places that a rule drew are drawn alike, so that what differs is the model's doing. */
  async #again(asked: Asked & Pick<Climb, 'seed'>, parts: PartsNow): Promise<OtherRanking> {
    const startedMs = this.#clockMs()
    const personal = await this.#personalOf(asked, parts)
    const { picks, fallback } = this.#climb(parts, asked, { personal, seed: asked.seed })
    return {
      products: picks.map(({ product_id }) => product_id),
      fallback,
      took_ms: this.#sinceMs(startedMs),
    }
  }

  #parts(): PartsNow {
    return {
      catalogue: this.#faults.attempt('catalogue', null, this.#options.catalogue),
      live: this.#faults.attempt('live state', null, this.#options.live),
      model: this.#faults.attempt('model', null, this.#options.model),
    }
  }

  #isWithheld({ userId, sessionId }: Asked): boolean {
    const { isWithheld } = this.#options
    if (isWithheld === undefined) return false
    return [userId, sessionId].some((name) => name !== null && isWithheld(name))
  }

  #referenceTo(model: ServingModel | null): ModelReference | null {
    if (model === null) return null
    if (this.#reference?.model !== model) {
      const trained_at = new Date(model.trained_at).toISOString()
      this.#reference = { model, value: { name: model.kind, version: model.version, trained_at } }
    }
    return this.#reference.value
  }

  #sinceMs(startedMs: number): number {
    return Math.round((this.#clockMs() - startedMs) * 1000) / 1000
  }
}

function requestOf({ kind, productId, cart, request }: Asked): PassportSource['request'] {
  return {
    kind,
    product_id: productId,
    ...(cart === undefined ? {} : { cart }),
    limit: request.limit,
    category: request.category ?? null,
    min_price: request.minPrice ?? null,
    max_price: request.maxPrice ?? null,
    exclude: request.exclude ?? [],
    ...(request.shownCount ? { shown_count: request.shownCount } : {}),
  }
}

/** Retrievers that need no model. */
const NOT_OF_THE_MODEL: ReadonlySet<string> = new Set(['content', 'pairs'])

function usesModel(personal: Personal, { isModelUsed, fallback }: Reached): boolean {
  if (fallback !== null) return false
  return isModelUsed && personal.retrieved.some(({ retriever }) => !NOT_OF_THE_MODEL.has(retriever))
}
