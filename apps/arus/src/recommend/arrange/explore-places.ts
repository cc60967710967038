import { seededRandom } from '../../catalogue/seeded-random.ts'
import type { ExploreRule } from '../../rules/rule.ts'
import type { Exploration } from './arranged.ts'
import type { CategoryCaps } from './category-caps.ts'
import type { RankedCandidate } from './ranked-candidate.ts'

/** A place of an answer before anything is drawn. */
export interface Place {
  readonly candidate: RankedCandidate
  /** Never given to another. */
  readonly isFixed: boolean
}

export interface Explored {
  readonly candidates: readonly RankedCandidate[]
  /** Products that were drawn. */
  readonly drawn: readonly string[]
  readonly exploration: Exploration
}

/**
 * At each place that is not fixed, from the first to the last and independently with probability ε, puts a candidate
 * drawn uniformly from the pool; what stood there drops out, and what was drawn leaves the pool. Of the pool only those can be
 * drawn with which the caps still hold. So given what stands above, the product of a place keeps it with 1 − ε and each of m
 * candidates takes it with ε ÷ m; with m = 0 it keeps it with 1. Draws depend on the seed alone.
 */
export function explorePlaces(
  places: readonly Place[],
  pool: readonly RankedCandidate[],
  { rule, caps, seed }: { readonly rule: ExploreRule; readonly caps: CategoryCaps; readonly seed: string },
): Explored {
  const random = seededRandom(seedOf(seed))
  const left = [...pool]
  const drawn: string[] = []
  const propensities: number[] = []
  let poolSize: number | null = null
  const candidates = places.map(({ candidate, isFixed }) => {
    if (isFixed) {
      propensities.push(1)
      return candidate
    }
    caps.remove(candidate.product)
    const possible = left.filter(({ product }) => caps.refuserOf(product) === null)
    poolSize ??= possible.length
    const isDrawn = random.next() < rule.probability && possible.length > 0
    const placed = isDrawn ? possible[random.below(possible.length)]! : candidate
    caps.add(placed.product)
    if (isDrawn) {
      left.splice(left.indexOf(placed), 1)
      drawn.push(placed.product_id)
      propensities.push(rule.probability / possible.length)
    } else {
      propensities.push(possible.length === 0 ? 1 : 1 - rule.probability)
    }
    return placed
  })
  const exploration = { probability: rule.probability, poolSize: poolSize ?? 0, propensities }
  return { candidates, drawn, exploration }
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo), over the characters. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}
