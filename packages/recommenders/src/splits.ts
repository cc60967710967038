import type { Interactions } from './model.ts'
import { seededRandom } from './seeded-random.ts'

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

/** Withholds the newest interaction of each user who has several: leave-last-out, in the order of `lastOfEachSplit`. */
export function leaveLastOutSplit(interactions: Interactions): Split {
  return lastOfEachSplit(interactions, 0)
}

/**
 * What options are searched on: the newest share of each user's training interactions, as `lastOfEachSplit`. Where there
 * are no times and the lists are sorted by item, their order says nothing, and what is withheld is drawn by `seed`.
 */
export function validationSplit(train: Interactions, testShare = 0.2, seed = 1): Split {
  if (!isSortedByItem(train)) return lastOfEachSplit(train, testShare)
  const random = seededRandom(seed)
  const order = Float64Array.from(train.users, () => random())
  const { train: kept, test } = lastOfEachSplit({ ...train, timesMs: order }, testShare)
  return { train: { ...kept, timesMs: new Float64Array(kept.users.length) }, test }
}

/** Users whose lists rise by item that make an order without meaning; chance gives a list of five less than 1 %. */
const SORTED_SHARE = 0.9

function isSortedByItem({ users, items, timesMs, userCount }: Interactions): boolean {
  if (timesMs.some((time) => time !== timesMs[0])) return false
  const last = new Float64Array(userCount).fill(-1)
  const falls = new Uint8Array(userCount)
  const counts = new Uint32Array(userCount)
  for (let n = 0; n < users.length; n++) {
    const user = users[n]!
    if (items[n]! < last[user]!) falls[user] = 1
    last[user] = items[n]!
    counts[user]! += 1
  }
  const long = counts.reduce((sum, count) => sum + (count >= SORTED_FROM ? 1 : 0), 0)
  const sorted = counts.reduce(
    (sum, count, user) => sum + (count >= SORTED_FROM && falls[user] === 0 ? 1 : 0),
    0,
  )
  return long > 0 && sorted >= SORTED_SHARE * long
}

/** Shorter lists are sorted by chance too often to tell. */
const SORTED_FROM = 5

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
