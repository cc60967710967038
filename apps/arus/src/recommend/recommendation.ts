/** Why a product is in an answer, for a person. */
export type ReasonKind =
  | 'because_of'
  | 'similar'
  | 'bought_together'
  | 'seen_together'
  | 'session'
  | 'trending'
  | 'popular'
  | 'static'
  | 'pinned'

/** The level that answered: null is the model; the others stand in for it, in this order. */
export type Fallback = 'session' | 'trending' | 'popular' | 'static' | null

export interface Reason {
  readonly kind: ReasonKind
  /** Product of the shopper's past, or the product asked about, that led to this one. */
  readonly because_of?: { readonly product_id: string; readonly title: string | null }
}

/** A product of an answer. Fields of the catalogue are null when the catalogue could not be asked. */
export interface RecommendedItem {
  readonly product_id: string
  /** From 1. */
  readonly rank: number
  readonly score: number
  readonly reason: Reason
  readonly title: string | null
  readonly category: string | null
  readonly price: number | null
  readonly list_price: number | null
  readonly image_url: string | null
  readonly product_url: string | null
  readonly stars: number | null
  readonly reviews: number | null
}

/** The model behind an answer. */
export interface ModelReference {
  readonly name: string
  readonly version: number
  /** ISO 8601, UTC. */
  readonly trained_at: string
}

/** An answer, as the API gives it. */
export interface RecommendationAnswer {
  /** UUIDv7. */
  readonly recommendation_id: string
  readonly user_id: string | null
  readonly scenario: string
  readonly recommendations: RecommendedItem[]
  readonly model: ModelReference | null
  readonly fallback: Fallback
  /** The experiments it belongs to, for the shop's own figures; absent where there is none. */
  readonly experiments?: { readonly id: string; readonly variant: string }[]
  /** ISO 8601, UTC. */
  readonly generated_at: string
  readonly took_ms: number
}

/** A recommended product with its trend figures; zeros and null where it stands in for a trend. */
export interface TrendingItem extends RecommendedItem {
  readonly trend_score: number
  readonly views_today: number
  readonly growth_rate: number | null
}

export interface TrendingAnswer {
  readonly trending: TrendingItem[]
  readonly fallback: Fallback
  readonly generated_at: string
  readonly took_ms: number
}

/** What may be asked of every recommendation. */
export interface RecommendationFilters {
  /** Id or name (any case) of a category. */
  readonly category?: string | undefined
  readonly minPrice?: number | undefined
  readonly maxPrice?: number | undefined
  /** Products not to recommend. */
  readonly exclude?: readonly string[] | undefined
}

export interface RecommendationRequest extends RecommendationFilters {
  /** 1 to 100. */
  readonly limit: number
  /** Where it is shown: `for_you`, `home`, `cart`, … Kept in the passport. */
  readonly scenario?: string | undefined
  /** Products on the pages before this one; `exclude` names them too. */
  readonly shownCount?: number | undefined
  /** The session under way, whose events come before the shopper's own past. */
  readonly sessionId?: string | undefined
}
