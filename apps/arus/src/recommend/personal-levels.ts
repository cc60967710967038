import type { HistoryProduct } from '../training/serving-model.ts'
import type { Eligibility } from './eligibility.ts'
import type { FaultReporter } from './fault-reporter.ts'
import type { PartsNow } from './levels.ts'
import type { Fallback, RecommendationRequest } from './recommendation.ts'
import type { Retrieved } from './retrieve/blend.ts'
import { candidatesOf, type Pairs, Retrievers } from './retrieve/retrieve.ts'
import type { ShopperPast } from './retrieve/shopper-past.ts'

/** Of products that the model knows, or where live state cannot be asked. */
export const NO_PAIRS: Pairs = new Map()

/** Share of look-alikes among the products that go with one; the model's neighbours have 1. */
const LOOK_ALIKE_WEIGHT = 0.3
/** Products asked of live state for one that the model knows nothing of. */
const PARTNER_COUNT = 40

/** What the personal levels brought, and what an answer from it is called. */
export interface Personal {
  readonly retrieved: readonly Retrieved[]
  readonly level: Fallback
  /** What live state said of products that go together. */
  readonly pairs: Pairs
}

interface Shopper {
  readonly past: ShopperPast
  readonly request: RecommendationRequest
  readonly eligibility: Eligibility
  readonly pairs: Pairs
}

/** The two highest levels of the ladder. A part that throws brings nothing, and is reported. */
export class PersonalLevels {
  readonly #retrievers = new Retrievers()
  readonly #faults: FaultReporter

  constructor(faults: FaultReporter) {
    this.#faults = faults
  }

  /** What goes with those of the products that the model (if any) knows nothing of, asked of live state. */
  async pairsOf({ live, model }: PartsNow, products: readonly HistoryProduct[]): Promise<Pairs> {
    if (live === null || products.length === 0) return NO_PAIRS
    const unknown = this.#faults.attempt('model', [], () => this.#retrievers.unknownTo(model, products))
    if (unknown.length === 0) return NO_PAIRS
    return this.#faults.attemptAsync('live state', NO_PAIRS, async () => {
      const found = unknown.map(
        async ({ product_id }) => [product_id, await live.goesWith(product_id, PARTNER_COUNT)] as const,
      )
      return new Map(await Promise.all(found))
    })
  }

  /** By the model on the live past; without it, or where it knows nothing, look-alikes of what was done last. */
  forShopper({ model, catalogue }: PartsNow, { past, request, eligibility, pairs }: Shopper): Personal {
    if (past.products.length === 0) return { retrieved: [], level: null, pairs }
    const { isAllowed } = eligibility
    const ofModel =
      model === null
        ? []
        : this.#faults.attempt<readonly Retrieved[]>('model', [], () =>
            this.#retrievers.byModel(model, past, request.limit, eligibility),
          )
    const modelInUse = ofModel.length === 0 ? null : model
    const ofContent =
      catalogue === null
        ? []
        : this.#faults.attempt('session', [], () =>
            this.#retrievers.byContent(catalogue, modelInUse, past, isAllowed),
          )
    const ofOthers = [...this.#retrievers.byPairs(pairs, isAllowed), ...ofContent]
    return {
      retrieved: ofOthers.length === 0 ? ofModel : [...ofModel, ...ofOthers],
      level: modelInUse === null ? 'session' : null,
      pairs,
    }
  }

  /** What goes with a product, by the model, by live state and by content; empty when none knows it. */
  forProduct({ model, catalogue }: PartsNow, productId: string, pairs: Pairs): Retrieved[] {
    const ofPairs = candidatesOf(productId, pairs.get(productId) ?? [])
    const ofModel =
      model === null
        ? []
        : this.#faults.attempt('model', [], () => this.#retrievers.neighboursOfModel(model, productId))
    const ofCatalogue =
      catalogue === null
        ? []
        : this.#faults.attempt('catalogue', [], () =>
            this.#retrievers.neighboursOfCatalogue(catalogue, productId),
          )
    const reason = 'similar'
    const retrieved: Retrieved[] = [
      { retriever: ofModel[0]?.retriever ?? 'model', weight: 1, reason, candidates: ofModel },
      { retriever: 'pairs', weight: 1, reason: 'seen_together', candidates: ofPairs },
      { retriever: 'content', weight: LOOK_ALIKE_WEIGHT, reason, candidates: ofCatalogue },
    ]
    return retrieved.filter(({ candidates }) => candidates.length > 0)
  }
}
