import type { Interactions } from './model.ts'

/** Train and test interactions over the same users and items. */
export interface Split {
  readonly train: Interactions
  readonly test: Interactions
}

/** Splits at the quantile of time: what comes after is to be predicted from what came before. */
export function timeSplit(interactions: Interactions, testShare = 0.2): Split {
  const sorted = interactions.timesMs.slice().sort()
  const cutMs = sorted[Math.floor(sorted.length * (1 - testShare))] ?? Number.POSITIVE_INFINITY
  return {
    train: where(interactions, (n) => interactions.timesMs[n]! < cutMs),
    test: where(interactions, (n) => interactions.timesMs[n]! >= cutMs),
  }
}

/**
 * Withholds the last share of each user's interactions, at least one where there are several: by time, and at the same
 * time in the order given, which published lists without times mostly are in.
 */
export function lastOfEachSplit(interactions: Interactions, testShare = 0.2): Split {
  const { users, timesMs, userCount } = interactions
  const order = Uint32Array.from(users, (_, n) => n)
  if (timesMs.some((time) => time !== timesMs[0])) order.sort((a, b) => timesMs[a]! - timesMs[b]! || a - b)
  const left = new Uint32Array(userCount)
  for (const user of users) left[user]! += 1
  const kept = left.map((count) => (count < 2 ? count : count - Math.max(1, Math.round(count * testShare))))
  const isTest = new Uint8Array(users.length)
  for (const n of order) {
    const user = users[n]!
    if (kept[user]! === 0) isTest[n] = 1
    else kept[user]! -= 1
  }
  return {
    train: where(interactions, (n) => isTest[n] === 0),
    test: where(interactions, (n) => isTest[n] === 1),
  }
}

function where(all: Interactions, isWanted: (n: number) => boolean): Interactions {
  const places = all.users.map((_, n) => n).filter((n) => isWanted(n))
  return {
    userCount: all.userCount,
    itemCount: all.itemCount,
    users: Uint32Array.from(places, (n) => all.users[n]!),
    items: Uint32Array.from(places, (n) => all.items[n]!),
    weights: Float32Array.from(places, (n) => all.weights[n]!),
    timesMs: Float64Array.from(places, (n) => all.timesMs[n]!),
  }
}
