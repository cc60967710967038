/** Which products a rule is about: those for which everything given holds. */
export interface RuleTarget {
  readonly products?: readonly string[]
  /** Ids or names, in any case. */
  readonly categories?: readonly string[]
  /** Bounds, both included; a product without a price is in none. */
  readonly min_price?: number
  readonly max_price?: number
}

/** Multiplies the scores of products: a boost by more than 1, a bury by less. */
export interface FactorRule extends RuleTarget {
  readonly kind: 'boost' | 'bury'
  readonly factor: number
}

/** Puts a product at a rank, counted from 1 over all pages. */
export interface PinRule {
  readonly kind: 'pin'
  readonly product_id: string
  readonly rank: number
}

/** Keeps products out of answers. */
export interface ExcludeRule extends RuleTarget {
  readonly kind: 'exclude'
}

/** Puts the best products in another order, so that one is not like those above it. */
export interface DiversifyRule {
  readonly kind: 'diversify'
  /** 0 to 1: the share of the score; the rest is the difference from what stands above. */
  readonly lambda: number
  /** How many of the best. */
  readonly window: number
}

/** Lets so many products of a category into an answer. */
export interface CapRule {
  readonly kind: 'cap'
  readonly per_category: number
  /** Those it holds for; all when not given. */
  readonly categories?: readonly string[]
}

/** Draws products at random, so that it becomes known what shoppers think of those the ranking passes over. */
export interface ExploreRule {
  readonly kind: 'explore'
  /** Of each place, that its product is drawn. */
  readonly probability: number
  /** Drawn from the next best so many. */
  readonly pool: number
}

/** What a rule does. */
export type RuleEffect = FactorRule | PinRule | ExcludeRule | DiversifyRule | CapRule | ExploreRule

export type RuleKind = RuleEffect['kind']

interface RuleFrame {
  /** For people. */
  readonly name: string
  readonly enabled: boolean
  /** Where it applies; everywhere when there are none. */
  readonly scenarios: readonly string[]
  /** UTC ms; null means at once. */
  readonly starts_at: number | null
  /** UTC ms, not included; null means until it is removed. */
  readonly ends_at: number | null
}

/** What is decided when a rule is made. */
export type NewRule = RuleFrame & RuleEffect

/** A rule of the business as it is kept. Times are UTC ms. */
export type Rule = NewRule & {
  readonly id: string
  readonly created_at: number
  readonly updated_at: number
}

/** Rules of a shop at most: all of them are kept in memory, and those in force are looked at by every request. */
export const RULES_MAX = 200
