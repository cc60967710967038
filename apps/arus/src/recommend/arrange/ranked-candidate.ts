import type { Product } from '../../catalogue/catalogue.ts'
import type { Fallback, ReasonKind } from '../recommendation.ts'

/** A product that may be in the answer, with its score after boosts. */
export interface RankedCandidate {
  readonly product_id: string
  readonly score: number
  readonly product: Product | undefined
  readonly kind: ReasonKind
  readonly because_of: string | null
  /** The level that brought it. */
  readonly fallback: Fallback
}
