import { climbByRules } from './arrange/arrange.ts'
import type { Picked } from './item.ts'
import { type Climb, levelsOf, type Reached, reasonOf, type Source } from './levels.ts'
import type { Fallback, Reason } from './recommendation.ts'

/**
 * Fills an answer from the highest level down: personal, trending, popular, static. A level that throws is reported
 * and passed over. Products already picked, filtered out or unknown to the catalogue are left out.
 */
export function climbDown(climb: Climb): Reached {
  return climb.rules === null ? climbLevels(climb) : climbByRules(climb, climb.rules)
}

function climbLevels(climb: Climb): Reached {
  const picks: Picked[] = []
  const taken = new Set<string>()
  let fallback: Fallback = 'static'
  let isModelUsed = false
  let levelCount = 0
  for (const level of levelsOf(climb)) {
    if (picks.length >= climb.limit) break
    const before = picks.length
    levelCount += 1
    const sources = climb.faults.attempt(level.name, [], () => level.sources())
    take(climb, sources, picks, taken)
    if (before === 0 && picks.length > 0) {
      fallback = level.fallback
      isModelUsed = level.fallback === null
    }
  }
  const isOfFirstLevel = levelCount === 1 && picks.length === climb.limit
  if (picks.length < climb.limit) takeRemembered(climb, picks, taken)
  return {
    picks,
    fallback: picks.length === 0 ? 'static' : fallback,
    isModelUsed,
    arranged: null,
    isOfFirstLevel,
  }
}

function take(climb: Climb, sources: readonly Source[], picks: Picked[], taken: Set<string>): void {
  const { catalogue, eligibility, limit } = climb
  for (const { product_id, score, kind, because_of } of sources) {
    if (picks.length >= limit) return
    if (taken.has(product_id) || !eligibility.isAllowed(product_id)) continue
    const { product, isGone } = climb.facts.of(catalogue, product_id)
    if (!eligibility.fits(product, isGone)) continue
    taken.add(product_id)
    picks.push({ product_id, score, product, reason: reasonOf(climb, kind, because_of) })
  }
}

function takeRemembered(
  { remembered, eligibility, limit }: Climb,
  picks: Picked[],
  taken: Set<string>,
): void {
  const reason: Reason = { kind: 'static' }
  const products = remembered.read()
  const isAllowed = picks.length === 0 ? eligibility.isAllowedAgain : eligibility.isAllowed
  for (let position = 0; position < products.length && picks.length < limit; position++) {
    const product = products[position]!
    const { product_id } = product
    if (taken.has(product_id) || !isAllowed(product_id)) continue
    if (!eligibility.fits(product, false)) continue
    taken.add(product_id)
    picks.push({ product_id, score: 1 / (1 + position), product, reason })
  }
}
