import type { Catalogue } from '../catalogue/catalogue.ts'
import { ArusError } from '../errors.ts'
import type { ServingModel } from '../training/serving-model.ts'
import { type Asked, requestOf } from './asked.ts'
import type { FaultReporter } from './fault-reporter.ts'
import { itemsOf } from './item.ts'
import { KeptAnswers, type Made } from './kept-answers.ts'
import { climbDown } from './ladder.ts'
import type { Climb, PartsNow, Reached } from './levels.ts'
import { passportOf } from './passport/passport.ts'
import { type Personal, PersonalLevels } from './personal-levels.ts'
import { ProductFacts } from './product-facts.ts'
import type { ModelReference, RecommendationAnswer } from './recommendation.ts'
import type { AnswerAgain, OtherRanking, RecommenderOptions } from './recommender-options.ts'
import { type RememberedProducts, rememberInMemory } from './remembered-products.ts'
import type { Pairs } from './retrieve/retrieve.ts'

/** Best sellers kept for the last level. */
const REMEMBERED_COUNT = 200
/** Retrievers that need no model. */
const NOT_OF_THE_MODEL: ReadonlySet<string> = new Set(['content', 'pairs'])

/** Makes the answer to a request of the parts there are, or takes the one that is kept, and tells of it. */
export class AnswerMaker {
  readonly #options: RecommenderOptions
  readonly #clockMs: () => number
  readonly #faults: FaultReporter
  readonly #remembered: RememberedProducts
  readonly #personal: PersonalLevels
  readonly #facts: ProductFacts
  readonly #kept = new KeptAnswers()
  #rememberedVersion: string | null = null
  #reference: { readonly model: ServingModel; readonly value: ModelReference } | null = null

  constructor(
    options: RecommenderOptions,
    { clockMs, faults }: { readonly clockMs: () => number; readonly faults: FaultReporter },
  ) {
    this.#options = options
    this.#clockMs = clockMs
    this.#faults = faults
    this.#remembered = options.remembered ?? rememberInMemory()
    this.#personal = new PersonalLevels(faults)
    this.#facts = new ProductFacts(faults)
  }

  /** Kept where no part failed in its making: what stands in for a part that fails is not to outlast it. Throws `PRODUCT_UNKNOWN`. */
  async answer(asked: Asked, parts: PartsNow): Promise<RecommendationAnswer> {
    const faultCount = this.#faults.count
    const pairs = await this.#pairsOf(asked, parts)
    const recommendationId = this.#options.uuid()
    const kept = this.#kept.find(asked, parts, pairs)
    if (kept !== null) return this.#compose(asked, parts, { made: kept, recommendationId })
    const personal = this.#personalOf(asked, parts, pairs)
    this.#assertKnown(asked, parts, personal)
    const reached = this.climb(asked, parts, { personal, seed: recommendationId })
    const made = { personal, reached, items: itemsOf(reached.picks) }
    if (this.#faults.count === faultCount) this.#kept.keep(asked, parts, made)
    return this.#compose(asked, parts, { made, recommendationId })
  }

  /** From the highest level down, whatever is kept. */
  climb(
    { past, request, eligibility, rules }: Pick<Asked, 'past' | 'request' | 'eligibility' | 'rules'>,
    parts: PartsNow,
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

  #pairsOf({ productId, past }: Asked, parts: PartsNow): Promise<Pairs> {
    const products = productId === null ? past.products : [{ product_id: productId, weight: 1 }]
    return this.#personal.pairsOf(parts, products)
  }

  #personalOf(asked: Asked, parts: PartsNow, pairs: Pairs): Personal {
    const { productId } = asked
    if (productId === null) return this.#personal.forShopper(parts, { ...asked, pairs })
    return { retrieved: this.#personal.forProduct(parts, productId, pairs), level: null, pairs }
  }

  #assertKnown({ productId }: Asked, { catalogue }: PartsNow, { retrieved }: Personal): void {
    if (productId === null || retrieved.length > 0) return
    const { product, isGone } = this.#facts.of(catalogue, productId)
    if (product !== undefined || isGone) return
    throw new ArusError('PRODUCT_UNKNOWN', `No product ${JSON.stringify(productId)} in the catalogue.`, {
      details: { product_id: productId },
    })
  }

  #compose(
    asked: Asked,
    parts: PartsNow,
    { made, recommendationId }: { readonly made: Made; readonly recommendationId: string },
  ): RecommendationAnswer {
    const { personal, reached, items } = made
    const generatedAtMs = this.#options.now()
    const marks = asked.treatment?.marks ?? []
    const answer: RecommendationAnswer = {
      recommendation_id: recommendationId,
      user_id: asked.userId,
      scenario: asked.scenario,
      recommendations: items,
      model: usesModel(personal, reached) ? this.#referenceTo(parts.model) : null,
      fallback: reached.fallback,
      ...(marks.length === 0 ? {} : { experiments: marks.map(({ id, variant }) => ({ id, variant })) }),
      generated_at: new Date(generatedAtMs).toISOString(),
      took_ms: msSince(asked.startedMs, this.#clockMs()),
    }
    this.#faults.attempt('live state', undefined, () => parts.live?.countRecommendation())
    this.#faults.attempt('passport', undefined, () =>
      this.#tell(answer, { asked, parts, made, generatedAtMs }),
    )
    return answer
  }

  #tell(
    answer: RecommendationAnswer,
    {
      asked,
      parts,
      made: { personal, reached },
      generatedAtMs,
    }: {
      readonly asked: Asked
      readonly parts: PartsNow
      readonly made: Made
      readonly generatedAtMs: number
    },
  ): void {
    const { onAnswer } = this.#options
    if (onAnswer === undefined) return
    const { rules } = asked
    const passport = passportOf({
      answer,
      generatedAtMs,
      sessionId: asked.sessionId,
      past: asked.past,
      retrieved: personal.retrieved,
      pairs: personal.pairs,
      filters: asked.eligibility.applied,
      experiments: asked.treatment?.marks ?? [],
      arranged: reached.arranged,
      rules: rules === null ? null : { revision: rules.compiled.revision, atMs: rules.atMs },
      request: requestOf(asked),
      parts: {
        catalogue: parts.catalogue?.version ?? null,
        model: parts.model?.version ?? null,
        live: parts.live !== null,
      },
    })
    const again: AnswerAgain = (model) => this.#again(asked, { ...parts, model }, passport.recommendation_id)
    onAnswer(passport, { arranged: reached.arranged, again })
  }

  /** Places that a rule drew are drawn alike, so that what differs is the model's doing. */
  async #again(asked: Asked, parts: PartsNow, seed: string): Promise<OtherRanking> {
    const startedMs = this.#clockMs()
    const personal = this.#personalOf(asked, parts, await this.#pairsOf(asked, parts))
    const { picks, fallback } = this.climb(asked, parts, { personal, seed })
    return {
      products: picks.map(({ product_id }) => product_id),
      fallback,
      took_ms: msSince(startedMs, this.#clockMs()),
    }
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

  #referenceTo(model: ServingModel | null): ModelReference | null {
    if (model === null) return null
    if (this.#reference?.model !== model) {
      const trained_at = new Date(model.trained_at).toISOString()
      this.#reference = { model, value: { name: model.kind, version: model.version, trained_at } }
    }
    return this.#reference.value
  }
}

/** Milliseconds to the µs, as answers say how long they took. */
export function msSince(startedMs: number, nowMs: number): number {
  return Math.round((nowMs - startedMs) * 1000) / 1000
}

function usesModel(personal: Personal, { isModelUsed, fallback }: Reached): boolean {
  if (fallback !== null) return false
  return isModelUsed && personal.retrieved.some(({ retriever }) => !NOT_OF_THE_MODEL.has(retriever))
}
