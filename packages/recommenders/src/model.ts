import type { FileParts } from './model-file.ts'

/**
 * What users did, as parallel arrays of equal length, one element per interaction, in any order. Users and
 * items are dense indices from 0; the same (user, item) pair may occur several times.
 */
export interface Interactions {
  readonly userCount: number
  readonly itemCount: number
  readonly users: Uint32Array
  readonly items: Uint32Array
  /**
   * Strength of the interaction (a purchase weighs more than a view). Below 0 it speaks against the item (taken out of the cart,
   * disliked) and takes back what others of the same pair gave; a pair whose sum is not above 0 counts as not there.
   */
  readonly weights: Float32Array
  /** Event time, UTC milliseconds. */
  readonly timesMs: Float64Array
}

/**
 * What is known of one user at request time, newest first: the model need not have seen them in training. An item of a
 * weight below 0 (a dislike) lowers what is like it, in models of sessions it does not count; one whose weight is not a finite number does not count.
 */
export interface UserItems {
  readonly items: Uint32Array
  readonly weights: Float32Array
}

/** Items with scores, best first; both arrays have the same length, at most the `k` asked for. */
export interface ScoredItems {
  readonly items: Uint32Array
  readonly scores: Float32Array
}

/** Answers whether an item may be recommended. */
export type ItemFilter = (item: number) => boolean

export interface RecommendOptions {
  readonly k: number
  /** Default: every item except the user's own. */
  readonly filter?: ItemFilter
}

/** A fitted model. Immutable; answering never does I/O and never throws for an index below `itemCount`. */
export interface Model {
  /** Name of the algorithm: `popular`, `trending`, `walk`, `content`, … */
  readonly kind: string
  readonly itemCount: number
  recommend(user: UserItems, options: RecommendOptions): ScoredItems
  /** Items like this one, itself excluded. */
  similar(item: number, options: RecommendOptions): ScoredItems
  /**
   * How much each of the user's own items contributed to `item`'s score, for `because_of`. Aligned with
   * `user.items`; zeros where the model is not personal.
   */
  explain(user: UserItems, item: number): Float32Array
  /** For each of `items` (distinct), the place in `user.items` of the item that counted most; -1 where none did. */
  reasons(user: UserItems, items: Uint32Array): Int32Array
  /** One file that `loadModel` maps back, in parts that are views of the model; see `model-file.ts` for the format. */
  file(): FileParts
}

/** Progress of long work, 0 to 1, and the way to stop it. */
export interface FitSignal {
  readonly signal?: AbortSignal
  readonly onProgress?: (fraction: number) => void
}
