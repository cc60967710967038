import type { CompiledRules } from '../../rules/compiled-rules.ts'
import type { Picked } from '../item.ts'
import { type Climb, type Level, levelsOf, type Reached, reasonOf } from '../levels.ts'
import { RuleEffects } from './arranged.ts'
import { CategoryCaps } from './category-caps.ts'
import { explorePlaces, type Place } from './explore-places.ts'
import { type Pinned, pinnedPlaces } from './pinned-places.ts'
import type { RankedCandidate } from './ranked-candidate.ts'
import { Selection } from './select-candidates.ts'

/** Trends looked at where rules are in force: a passport keeps them all. */
const TRENDING_MAX = 100

/**
 * Fills an answer as `climbDown` does, by rules. Of each level the candidates that nothing excludes are put in order by their
 * scores after boosts, and chosen from by difference and caps; levels keep their order. Then pins are put in their places, and
 * last some places are given to products drawn at random from those that came next.
 */
export function climbByRules(climb: Climb, rules: CompiledRules): Reached {
  const effects = new RuleEffects()
  const pins = pinnedPlaces(climb, rules)
  for (const { rule, candidate } of pins) effects.note(rule, candidate.product_id)
  const caps = new CategoryCaps(rules)
  for (const { candidate } of pins) caps.add(candidate.product)
  const gathering = new Gathering(climb, rules, { pins, effects })
  const explore = climb.seed === null ? null : rules.explore
  const poolSize = explore?.pool ?? 0
  const selection = new Selection({
    limit: climb.limit - pins.length,
    above: pins.map(({ candidate }) => candidate),
    diversify: rules.diversify,
    caps,
    effects,
  })
  for (const level of levelsOf(climb)) {
    if (selection.isFull && selection.rest.length >= poolSize) break
    selection.take(gathering.ofLevel(level))
  }
  if (!selection.isFull) selection.take(gathering.remembered(selection.chosen.length === 0))
  gathering.noteExcluded()

  const places = placesOf(selection.chosen, pins)
  const explored =
    explore === null || climb.seed === null
      ? null
      : explorePlaces(places, selection.rest.slice(0, poolSize), { rule: explore, caps, seed: climb.seed })
  for (const productId of explored?.drawn ?? []) effects.note(explore!, productId)
  const candidates = explored?.candidates ?? places.map(({ candidate }) => candidate)
  const fallback = selection.chosen[0]?.fallback
  return {
    picks: candidates.map((candidate) => pickOf(climb, candidate)),
    fallback: fallback === undefined ? 'static' : fallback,
    isModelUsed: fallback === null,
    isOfFirstLevel: false,
    arranged: {
      applied: effects.applied(),
      exploration: explored?.exploration ?? null,
      trending: gathering.trending,
    },
  }
}

/** The chosen around the pins; where the chosen are too few for a pin's place, it moves up. */
function placesOf(chosen: readonly RankedCandidate[], pins: readonly Pinned[]): Place[] {
  const places: Place[] = []
  let next = 0
  for (const { place, candidate } of pins) {
    while (places.length < place && next < chosen.length) {
      places.push({ candidate: chosen[next++]!, isFixed: false })
    }
    places.push({ candidate, isFixed: true })
  }
  for (const candidate of chosen.slice(next)) places.push({ candidate, isFixed: false })
  return places
}

function pickOf(climb: Climb, { product_id, score, product, kind, because_of }: RankedCandidate): Picked {
  return { product_id, score, product, reason: reasonOf(climb, kind, because_of) }
}

/** Candidates of one level after another: those that may be in the answer, best first after boosts. */
class Gathering {
  readonly trending: (readonly [string, number])[] = []
  readonly #climb: Climb
  readonly #rules: CompiledRules
  readonly #effects: RuleEffects
  readonly #seen: Set<string>

  constructor(
    climb: Climb,
    rules: CompiledRules,
    { pins, effects }: { readonly pins: readonly Pinned[]; readonly effects: RuleEffects },
  ) {
    this.#climb = climb
    this.#rules = rules
    this.#effects = effects
    this.#seen = new Set(pins.map(({ candidate }) => candidate.product_id))
  }

  ofLevel(level: Level): RankedCandidate[] {
    const { catalogue, eligibility, facts, faults } = this.#climb
    const candidates: RankedCandidate[] = []
    const isTrending = level.fallback === 'trending'
    for (const source of faults.attempt(level.name, [], () => level.sources())) {
      const { product_id, score } = source
      if (this.#seen.has(product_id) || !eligibility.isAllowed(product_id)) continue
      const { product, isGone } = facts.of(catalogue, product_id)
      if (!eligibility.fits(product, isGone)) continue
      if (isTrending) {
        if (this.trending.length === TRENDING_MAX) break
        this.trending.push([product_id, score])
      }
      this.#consider({ ...source, product, fallback: level.fallback }, candidates)
    }
    return inOrder(candidates)
  }

  /** Best sellers from before; where there is nothing else, also what was only looked at. */
  remembered(isNothingElse: boolean): RankedCandidate[] {
    const { eligibility, remembered } = this.#climb
    const isAllowed = isNothingElse ? eligibility.isAllowedAgain : eligibility.isAllowed
    const candidates: RankedCandidate[] = []
    for (const [position, product] of remembered.read().entries()) {
      const { product_id } = product
      if (this.#seen.has(product_id) || !isAllowed(product_id) || !eligibility.fits(product, false)) continue
      const facts = { product_id, product, score: 1 / (1 + position) }
      this.#consider({ ...facts, kind: 'static', because_of: null, fallback: 'static' }, candidates)
    }
    return inOrder(candidates)
  }

  /** Those that rules kept from being retrieved at all. */
  noteExcluded(): void {
    const { catalogue, eligibility, facts } = this.#climb
    for (const productId of eligibility.excluded) {
      const rule = this.#rules.excluderOf(productId, facts.of(catalogue, productId).product)
      if (rule !== null) this.#effects.note(rule, productId)
    }
  }

  #consider(candidate: RankedCandidate, into: RankedCandidate[]): void {
    const { product_id, product } = candidate
    const excluder = this.#rules.excluderOf(product_id, product)
    if (excluder !== null) {
      // Not seen: it may only be that its facts were not known, and a lower level knows them.
      this.#effects.note(excluder, product_id)
      return
    }
    this.#seen.add(product_id)
    let { score } = candidate
    for (const rule of this.#rules.factors.about(product_id, product)) {
      if (rule.kind !== 'boost' && rule.kind !== 'bury') continue
      // Below zero a boost must raise too.
      score = score >= 0 ? score * rule.factor : score / rule.factor
      this.#effects.note(rule, product_id)
    }
    into.push(score === candidate.score ? candidate : { ...candidate, score })
  }
}

function inOrder(candidates: RankedCandidate[]): RankedCandidate[] {
  return candidates.sort((a, b) => b.score - a.score)
}
