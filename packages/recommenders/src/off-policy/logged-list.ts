/** A list that was shown while exploring, with what came of it and what another policy would have shown instead. */
export interface LoggedList<Item> {
  /** What was shown, by rank. */
  readonly items: readonly Item[]
  /** How likely it was that the item at each rank is shown there, above 0 and at most 1. */
  readonly propensities: readonly number[]
  /** What the item at each rank brought: 1 for a click, or money. */
  readonly rewards: readonly number[]
  /** What the policy to be judged shows for the same question, by rank; shorter where it has no more. */
  readonly target: readonly Item[]
  /** Whom it was shown to: what one shopper does with several lists is not independent. Without it each list stands for itself. */
  readonly unit?: string
}

/** Expected reward of an item at a rank (from 0) of a list: the model of doubly robust estimation. */
export type RewardModel<Item> = (list: LoggedList<Item>, item: Item, rank: number) => number

/** What stands for whom a list was shown to: equal for lists of one. */
export function unitOf(list: LoggedList<unknown>): unknown {
  return list.unit ?? list
}
