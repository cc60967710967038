/** A product of a shopper's past, as input of a model. */
export interface HistoryProduct {
  readonly product_id: string
  readonly weight: number
}

/** A product a model brings, with what led to it. */
export interface Candidate {
  readonly product_id: string
  readonly score: number
  /** The retriever that brought it: `walk`, `content`, `trending`, `popular`. */
  readonly retriever: string
  /** The product of the shopper's past that counted most, where there is one. */
  readonly because_of: string | null
}

/**
 * How much a model of sessions says in answers, as shares of the blend: the model of shoppers has 1. `alone`: nothing else is asked where
 * it knows enough; 0: it is not asked.
 */
export interface SessionUse {
  /** Where only the session is known. */
  readonly anonymous: number | 'alone'
  /** Where the shopper is known, and asks with a session. */
  readonly known: number
}

/** A model that helps the version's own. */
export interface Helper {
  readonly kind: string
  /** What goes with these products; empty when it knows none of them. */
  recommend(
    products: readonly HistoryProduct[],
    k: number,
    leftOut?: readonly ReadonlySet<string>[],
    isKept?: ((productId: string) => boolean) | null,
  ): Candidate[]
}

/** A version's model of sessions: what followed in past ones like this one, whose products are given newest first. */
export interface SessionRetriever extends Helper {
  readonly use: SessionUse
}

/** A version's model of what is bought together with the products of a cart. */
export interface CartRetriever extends Helper {
  /** Its share of the blend: the model of shoppers has 1. */
  readonly share: number
}

/**
 * A registered version loaded for serving: all models of one artefact and their product ids. Answers from memory,
 * synchronously, and knows only products seen in training.
 */
export interface ServingModel {
  readonly kind: string
  readonly version: number
  readonly trained_at: number
  /** Null where the version has none, as those of before there were models of sessions. */
  readonly session: SessionRetriever | null
  /** Null where it helps no cart, and in versions of before there were such models. */
  readonly cart: CartRetriever | null
  /**
   * For a shopper, by the version's algorithm, without the products of `leftOut` and of the history and those that `isKept` says no
   * to, which is slower; empty when nothing of the history is known to it.
   */
  recommend(
    history: readonly HistoryProduct[],
    k: number,
    leftOut?: readonly ReadonlySet<string>[],
    isKept?: ((productId: string) => boolean) | null,
  ): Candidate[]
  /** True for a product that `similar` has an answer for. */
  knows(productId: string): boolean
  /** Products that go with this one; empty for products unknown to it. */
  similar(productId: string, k: number): Candidate[]
  /** Most interacted products of the training data. */
  popular(k: number): Candidate[]
}
