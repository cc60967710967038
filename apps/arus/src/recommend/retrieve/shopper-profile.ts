import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { HistoryItem } from '../../live/live-state.ts'
import { pastOf } from './shopper-past.ts'

const CATEGORIES_MAX = 5

/** Share of a shopper's interest that a category has, 0 to 1. */
export interface FavouriteCategory {
  readonly category: string
  readonly share: number
}

/** Prices a shopper is interested in: a quarter of the interest lies below `low`, a quarter above `high`. */
export interface PriceBand {
  readonly low: number
  readonly middle: number
  readonly high: number
}

export interface ShopperProfile {
  /** The greatest share first, at most 5. */
  readonly categories: readonly FavouriteCategory[]
  /** Null when no price is known of what they touched. */
  readonly price: PriceBand | null
}

interface Weighed {
  readonly weight: number
  readonly value: number
}

/**
 * What a shopper likes, from their history and the catalogue of now; each product counts by the weight that
 * recommendations give it (action, age, events since).
 */
export function profileOf(history: readonly HistoryItem[], catalogue: Catalogue | null): ShopperProfile {
  const { products } = pastOf(history, [])
  const facts = catalogue?.getMany(products.map(({ product_id }) => product_id)) ?? []
  const categories = new Map<string, number>()
  const prices: Weighed[] = []
  for (const [i, { weight }] of products.entries()) {
    const { category = null, price = null } = facts[i] ?? {}
    if (category !== null) categories.set(category, (categories.get(category) ?? 0) + weight)
    if (price !== null) prices.push({ weight, value: price })
  }
  return { categories: sharesOf(categories), price: bandOf(prices) }
}

function sharesOf(weights: ReadonlyMap<string, number>): FavouriteCategory[] {
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
  return [...weights]
    .map(([category, weight]) => ({ category, share: weight / total }))
    .sort((a, b) => b.share - a.share || (a.category < b.category ? -1 : 1))
    .slice(0, CATEGORIES_MAX)
}

function bandOf(prices: readonly Weighed[]): PriceBand | null {
  if (prices.length === 0) return null
  const sorted = [...prices].sort((a, b) => a.value - b.value)
  return { low: quantileOf(sorted, 0.25), middle: quantileOf(sorted, 0.5), high: quantileOf(sorted, 0.75) }
}

/** The first value at which so much of the weight is reached. */
function quantileOf(sorted: readonly Weighed[], share: number): number {
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0)
  let reached = 0
  for (const { weight, value } of sorted) {
    reached += weight
    if (reached >= share * total) return value
  }
  return sorted.at(-1)?.value ?? 0
}
