import type { Catalogue, Product } from '../catalogue/catalogue.ts'
import { KeptOn } from '../kept-on.ts'
import type { Exclusion } from '../rules/exclusion.ts'
import type { RecommendationFilters } from './recommendation.ts'
import type { ShopperPast } from './retrieve/shopper-past.ts'

/** What may be in an answer. */
export interface Eligibility {
  /** By id alone: cheap, so it is asked for every candidate of a retriever. */
  isAllowed(productId: string): boolean
  /** The products that `isAllowed` says no to, besides those that rules exclude. */
  readonly leftOut: readonly ReadonlySet<string>[]
  /** False for a product that rules exclude, which is noted; null when they exclude nothing. */
  readonly isKept: ((productId: string) => boolean) | null
  /** True where `isAllowed` goes by the past, and what rules exclude, alone. */
  readonly isByPastOnly: boolean
  /** What rules keep from being retrieved; null when nothing. */
  readonly exclusion: Exclusion | null
  /** Some of the products that this kept out. */
  readonly excluded: Set<string>
  /** The same, but what was only looked at may come again: for the last level, where else nothing is left. */
  isAllowedAgain(productId: string): boolean
  /**
   * By what the catalogue says. A product the catalogue does not know is left out; with the catalogue gone
   * (`product` undefined and `isCatalogueGone`) it is let through unless a category or price was asked for.
   */
  fits(product: Product | undefined, isCatalogueGone: boolean): boolean
  /** Names of the filters at work, for the passport. */
  readonly applied: readonly string[]
}

/** Products noted of those that rules kept from being retrieved. */
const EXCLUDED_MAX = 20
/** Nothing is ever added to it. */
const NOTHING_EXCLUDED = new Set<string>()

/** What holds for one answer: never what was bought or excluded, not what was just seen, only the category and price asked for. */
export function eligibilityOf(
  past: ShopperPast,
  filters: RecommendationFilters,
  exclusion: Exclusion | null = null,
): Eligibility {
  const eligibility = isUnfiltered(filters) ? eligibilityByPast(past) : eligibilityByRequest(past, filters)
  return exclusion === null ? eligibility : without(exclusion, eligibility)
}

function isUnfiltered({ category, minPrice, maxPrice, exclude }: RecommendationFilters): boolean {
  const asksForFacts = category !== undefined || minPrice !== undefined || maxPrice !== undefined
  return !asksForFacts && (exclude === undefined || exclude.length === 0)
}

const byPast = new KeptOn<ShopperPast, Eligibility>()

/** Without filters it is the same as long as the shopper does nothing. */
function eligibilityByPast(past: ShopperPast): Eligibility {
  const known = byPast.get(past)
  if (known !== undefined) return known
  const eligibility = eligibilityByRequest(past, {})
  byPast.set(past, eligibility)
  return eligibility
}

/** Also leaves out what rules exclude, and notes it. */
function without(exclusion: Exclusion, eligibility: Eligibility): Eligibility {
  const excluded = new Set<string>()
  const isKept = (productId: string) => {
    if (!exclusion.isExcluded(productId)) return true
    if (excluded.size < EXCLUDED_MAX) excluded.add(productId)
    return false
  }
  return {
    ...eligibility,
    exclusion,
    excluded,
    isKept,
    isAllowed: (productId) => eligibility.isAllowed(productId) && isKept(productId),
    isAllowedAgain: (productId) => eligibility.isAllowedAgain(productId) && isKept(productId),
  }
}

function eligibilityByRequest(past: ShopperPast, filters: RecommendationFilters): Eligibility {
  const excluded = new Set(filters.exclude ?? [])
  const { category, minPrice, maxPrice } = filters
  const asksForPrice = minPrice !== undefined || maxPrice !== undefined
  const asksForFacts = category !== undefined || asksForPrice
  const categoryName = category?.toLowerCase()
  return {
    isAllowed:
      excluded.size === 0
        ? (productId) => !past.seen.has(productId)
        : (productId) => !past.seen.has(productId) && !excluded.has(productId),
    leftOut: excluded.size === 0 ? [past.seen] : [past.seen, excluded],
    isKept: null,
    isByPastOnly: excluded.size === 0,
    exclusion: null,
    excluded: NOTHING_EXCLUDED,
    isAllowedAgain: (productId) => !past.purchased.has(productId) && !excluded.has(productId),
    fits(product, isCatalogueGone) {
      if (product === undefined) return isCatalogueGone && !asksForFacts
      if (!asksForFacts) return true
      if (category !== undefined && !isInCategory(product, category, categoryName)) return false
      if (!asksForPrice) return true
      if (product.price === null) return false
      return product.price >= (minPrice ?? 0) && product.price <= (maxPrice ?? Number.POSITIVE_INFINITY)
    },
    applied: [
      ...(past.seen.size > 0 ? ['already_seen'] : []),
      ...(past.purchased.size > 0 ? ['already_purchased'] : []),
      ...(excluded.size > 0 ? ['exclude'] : []),
      ...(category === undefined ? [] : ['category']),
      ...(asksForPrice ? ['price'] : []),
    ],
  }
}

/** The id of a category given by id or by name in any case; undefined when there is none. */
export function categoryIdOf(catalogue: Catalogue, category: string): number | undefined {
  const name = category.toLowerCase()
  return catalogue
    .categories()
    .find((known) => String(known.category_id) === category || known.name.toLowerCase() === name)?.category_id
}

function isInCategory(product: Product, category: string, lowerCased: string | undefined): boolean {
  return String(product.category_id) === category || product.category?.toLowerCase() === lowerCased
}
