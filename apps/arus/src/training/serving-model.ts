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
 * A registered version loaded for serving: all models of one artefact and their product ids. Answers from memory,
 * synchronously, and knows only products seen in training.
 */
export interface ServingModel {
  readonly kind: string
  readonly version: number
  readonly trained_at: number
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
