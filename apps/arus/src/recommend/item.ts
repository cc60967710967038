import type { Product } from '../catalogue/catalogue.ts'
import { rounded } from './passport/passport.ts'
import type { Reason, RecommendedItem } from './recommendation.ts'

/** A product chosen for an answer, before its facts are added. */
export interface Picked {
  readonly product_id: string
  readonly score: number
  readonly reason: Reason
  readonly product: Product | undefined
}

/** The products as they stand in an answer. */
export function itemsOf(picks: readonly Picked[]): RecommendedItem[] {
  return picks.map((pick, position) => itemOf(pick, position + 1))
}

/** The product as it stands in an answer; facts are null where the catalogue could not be asked. */
export function itemOf({ product_id, score, reason, product }: Picked, rank: number): RecommendedItem {
  return {
    product_id,
    rank,
    score: rounded(score),
    reason,
    title: product?.title ?? null,
    category: product?.category ?? null,
    price: product?.price ?? null,
    list_price: product?.list_price ?? null,
    image_url: product?.image_url ?? null,
    product_url: product?.product_url ?? null,
    stars: product?.stars ?? null,
    reviews: product?.reviews ?? null,
  }
}
