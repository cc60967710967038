import { type LoggedList, type RewardModel, unitOf } from './logged-list.ts'

/** An item counts as if it had brought what was expected this many rewards' worth before: items shown seldom stay near 1. */
const PRIOR_REWARD = 2

/**
 * What items bring at ranks, from lists: the mean of the rank, times how much more or less than the ranks it stood at an item brought
 * (clicks over expected clicks), drawn towards 1 for items shown seldom.
 */
export function fitClickModel<Item>(
  lists: readonly LoggedList<Item>[],
): (item: Item, rank: number) => number {
  const byRank: { shown: number; reward: number }[] = []
  for (const { items, rewards } of lists) {
    for (let rank = 0; rank < items.length; rank++) {
      const known = byRank[rank] ?? { shown: 0, reward: 0 }
      byRank[rank] = { shown: known.shown + 1, reward: known.reward + rewards[rank]! }
    }
  }
  const ofRank = byRank.map(({ shown, reward }) => reward / shown)
  const byItem = new Map<Item, { expected: number; reward: number }>()
  for (const { items, rewards } of lists) {
    for (const [rank, item] of items.entries()) {
      const known = byItem.get(item) ?? { expected: 0, reward: 0 }
      byItem.set(item, known)
      known.expected += ofRank[rank]!
      known.reward += rewards[rank]!
    }
  }
  return (item, rank) => {
    const { expected, reward } = byItem.get(item) ?? { expected: 0, reward: 0 }
    return (ofRank[rank] ?? 0) * ((reward + PRIOR_REWARD) / (expected + PRIOR_REWARD))
  }
}

/** For each list a click model that was fitted on the other half of the units: its own rewards must not tell what they are corrected by. */
export function crossFittedClickModel<Item>(lists: readonly LoggedList<Item>[]): RewardModel<Item> {
  const halfOf = new Map<unknown, number>()
  for (const list of lists) if (!halfOf.has(unitOf(list))) halfOf.set(unitOf(list), halfOf.size % 2)
  const models = [0, 1].map((half) =>
    fitClickModel(lists.filter((list) => halfOf.get(unitOf(list)) !== half)),
  )
  return (list, item, rank) => models[halfOf.get(unitOf(list)) ?? 0]!(item, rank)
}
