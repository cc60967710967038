import type { CompiledRules } from '../../rules/compiled-rules.ts'
import type { Rule } from '../../rules/rule.ts'
import type { Climb } from '../levels.ts'
import type { RankedCandidate } from './ranked-candidate.ts'

/** A product that a rule puts at a place of this answer. */
export interface Pinned {
  /** From 0. */
  readonly place: number
  readonly rule: Rule
  readonly candidate: RankedCandidate
}

/**
 * The pins of this page, by place: of products that are there, pass the filters of the request, were not bought and are not
 * excluded. Where a place is taken, the next free one. A product the shopper has looked at may be pinned.
 */
export function pinnedPlaces(climb: Climb, rules: CompiledRules): Pinned[] {
  const { limit, shownCount, eligibility } = climb
  const found = new Map<number, Pinned>()
  const ids = new Set<string>()
  for (const rule of rules.pins) {
    let place = rule.rank - 1 - shownCount
    if (place < 0) continue
    while (found.has(place)) place += 1
    const { product_id } = rule
    if (place >= limit || ids.has(product_id) || !eligibility.isAllowedAgain(product_id)) continue
    const product = factsOf(climb, product_id)
    if (product === undefined || !eligibility.fits(product, false)) continue
    if (rules.excluderOf(product_id, product) !== null) continue
    const candidate: RankedCandidate = {
      ...{ product_id, product, score: 0 },
      ...{ kind: 'pinned', because_of: null, fallback: 'static' },
    }
    ids.add(product_id)
    found.set(place, { place, rule, candidate })
  }
  return [...found.values()].sort((a, b) => a.place - b.place)
}

/** With the catalogue gone, of the best sellers remembered from before. */
function factsOf({ catalogue, facts, remembered }: Climb, productId: string) {
  const { product, isGone } = facts.of(catalogue, productId)
  if (!isGone) return product
  return remembered.read().find(({ product_id }) => product_id === productId)
}
