import type { Treatment } from '../experiments/treatment.ts'
import type { Asked, RulesNow } from './asked.ts'
import { type Eligibility, eligibilityOf } from './eligibility.ts'
import type { FaultReporter } from './fault-reporter.ts'
import type { PartsNow } from './levels.ts'
import type { RecommendationFilters } from './recommendation.ts'
import type { RecommenderOptions } from './recommender-options.ts'
import type { ShopperPast } from './retrieve/shopper-past.ts'

/** What there is at the moment of a request. A part that throws is reported, and counts as gone. */
export class ServingParts {
  readonly #options: RecommenderOptions
  readonly #faults: FaultReporter

  constructor(options: RecommenderOptions, faults: FaultReporter) {
    this.#options = options
    this.#faults = faults
  }

  now(): PartsNow {
    return {
      catalogue: this.#faults.attempt('catalogue', null, this.#options.catalogue),
      live: this.#faults.attempt('live state', null, this.#options.live),
      model: this.#faults.attempt('model', null, this.#options.model),
    }
  }

  /** With the model of an experiment, or none for who was erased. */
  for({ userId, sessionId, treatment }: Asked): PartsNow {
    const parts = this.now()
    if (this.#isWithheld(userId) || this.#isWithheld(sessionId)) return { ...parts, model: null }
    return treatment?.model ? { ...parts, model: treatment.model } : parts
  }

  /** What may be in an answer, and which rules put it in order. */
  limits(
    scenario: string,
    past: ShopperPast,
    filters: RecommendationFilters,
  ): { readonly eligibility: Eligibility; readonly rules: RulesNow | null } {
    const rules = this.#rulesNow(scenario)
    if (rules === null) return { eligibility: eligibilityOf(past, filters), rules }
    const catalogue = this.#faults.attempt('catalogue', null, this.#options.catalogue)
    return { eligibility: eligibilityOf(past, filters, rules.compiled.exclusionIn(catalogue)), rules }
  }

  /** Who asks is the unit of experiments; a product or a cart alone is nobody. */
  treatmentOf(unit: string | null, scenario: string): Treatment | null {
    const { treatment } = this.#options
    if (treatment === undefined || unit === null) return null
    return this.#faults.attempt('experiments', null, () => treatment(unit, scenario))
  }

  #rulesNow(scenario: string): RulesNow | null {
    const { rules } = this.#options
    if (rules === undefined) return null
    const atMs = this.#options.now()
    const compiled = this.#faults.attempt('rules', null, () => rules(scenario, atMs))
    return compiled === null ? null : { compiled, atMs }
  }

  #isWithheld(name: string | null): boolean {
    const { isWithheld } = this.#options
    return isWithheld !== undefined && name !== null && isWithheld(name)
  }
}
