/** How often live state stores what it has applied. */
export interface StorePace {
  /** At most so often, milliseconds: a value that changes many times in between is written once. */
  readonly msMin: number
  /** At least so often, milliseconds. */
  readonly msMax: number
  /** In between when so many values wait: to hand those to a store holds up requests for some milliseconds. */
  readonly changes: number
  /** Entries applied at most ahead of a commit that is under way: bounds memory where the store is slow. */
  readonly aheadRecords: number
}

export const DEFAULT_STORE_PACE: StorePace = {
  msMin: 100,
  msMax: 1_000,
  changes: 6_000,
  aheadRecords: 5_000,
}
