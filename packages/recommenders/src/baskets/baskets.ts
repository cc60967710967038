import { RecommenderError } from '../errors.ts'
import type { SparseMatrix } from '../sparse-matrix.ts'

const DAY_MS = 86_400_000

/** What was bought, as parallel arrays, one element per product of an order, in any order. Indices are dense from 0. */
export interface Purchases {
  readonly userCount: number
  readonly itemCount: number
  /** A guest is a user of their own. */
  readonly users: Uint32Array
  readonly items: Uint32Array
  /** UTC milliseconds. */
  readonly timesMs: Float64Array
  /** Number of the order, where orders are known; else all that a user bought on a day (UTC) is one. */
  readonly orders?: Uint32Array
}

/** Orders, the oldest first, each a set of products; of those of one time the order in which they came. */
export interface Baskets {
  readonly userCount: number
  readonly itemCount: number
  /** Places where baskets begin in `items`, and one more for the end. */
  readonly starts: Uint32Array
  /** Distinct within a basket, ascending. */
  readonly items: Uint32Array
  /** Who bought the basket. */
  readonly users: Uint32Array
  /** Time of the first purchase in the basket. */
  readonly timesMs: Float64Array
}

/** The baskets of one user, newest first, each of distinct products. */
export type BasketHistory = readonly Uint32Array[]

/** Train and test baskets of the same users and items. */
export interface BasketSplit {
  readonly train: Baskets
  readonly test: Baskets
}

/** Puts purchases into baskets. Throws `MODEL_INPUT_INVALID` for what is not as `Purchases` says. */
export function basketsOf(purchases: Purchases): Baskets {
  assertPurchases(purchases)
  const { users, items, timesMs, orders } = purchases
  const byKey = new Map<string, { user: number; timeMs: number; items: Set<number> }>()
  for (let n = 0; n < items.length; n++) {
    const [user, timeMs] = [users[n]!, timesMs[n]!]
    const key = orders === undefined ? `${user} ${Math.floor(timeMs / DAY_MS)}` : `${orders[n]!}`
    const basket = byKey.get(key)
    if (basket === undefined) byKey.set(key, { user, timeMs, items: new Set([items[n]!]) })
    else {
      basket.items.add(items[n]!)
      basket.timeMs = Math.min(basket.timeMs, timeMs)
    }
  }
  const sorted = [...byKey.values()].sort((a, b) => a.timeMs - b.timeMs)
  return {
    userCount: purchases.userCount,
    itemCount: purchases.itemCount,
    ...joined(sorted.map((basket) => Uint32Array.from(basket.items).sort())),
    users: Uint32Array.from(sorted, ({ user }) => user),
    timesMs: Float64Array.from(sorted, ({ timeMs }) => timeMs),
  }
}

/** The baskets of each user. */
export function historiesOf({ userCount, starts, items, users }: Baskets): BasketHistory[] {
  const histories: Uint32Array[][] = Array.from({ length: userCount }, () => [])
  for (let basket = users.length - 1; basket >= 0; basket--)
    histories[users[basket]!]!.push(items.subarray(starts[basket], starts[basket + 1]))
  return histories
}

/** Baskets × items, all of value 1. */
export function basketMatrix({ itemCount, starts, items, users }: Baskets): SparseMatrix {
  const values = new Float32Array(items.length).fill(1)
  return { rowCount: users.length, columnCount: itemCount, starts, columns: items, values }
}

/** Withholds the last basket of each user who has several. */
export function lastBasketSplit(baskets: Baskets): BasketSplit {
  const { users, userCount } = baskets
  const counts = new Uint32Array(userCount)
  const last = new Uint32Array(userCount)
  for (const [basket, user] of users.entries()) {
    counts[user]! += 1
    last[user] = basket
  }
  const isTest = (basket: number) => counts[users[basket]!]! > 1 && last[users[basket]!] === basket
  return { train: where(baskets, (n) => !isTest(n)), test: where(baskets, isTest) }
}

/** Withholds the newest share of all baskets. */
export function newestBasketsSplit(baskets: Baskets, testShare = 0.2): BasketSplit {
  const cut = Math.floor(baskets.users.length * (1 - testShare))
  return { train: where(baskets, (n) => n < cut), test: where(baskets, (n) => n >= cut) }
}

/** Withholds the baskets bought from `cutMs` (UTC ms) on. */
export function basketsSplitAt(baskets: Baskets, cutMs: number): BasketSplit {
  const { timesMs } = baskets
  return {
    train: where(baskets, (n) => timesMs[n]! < cutMs),
    test: where(baskets, (n) => timesMs[n]! >= cutMs),
  }
}

function where(baskets: Baskets, isWanted: (basket: number) => boolean): Baskets {
  const { starts, items, users, timesMs } = baskets
  const kept = Array.from(users.keys()).filter(isWanted)
  return {
    ...baskets,
    ...joined(kept.map((n) => items.subarray(starts[n], starts[n + 1]))),
    users: Uint32Array.from(kept, (n) => users[n]!),
    timesMs: Float64Array.from(kept, (n) => timesMs[n]!),
  }
}

function joined(rows: readonly Uint32Array[]): Pick<Baskets, 'starts' | 'items'> {
  const starts = new Uint32Array(rows.length + 1)
  for (const [n, row] of rows.entries()) starts[n + 1] = starts[n]! + row.length
  const items = new Uint32Array(starts[rows.length]!)
  for (const [n, row] of rows.entries()) items.set(row, starts[n])
  return { starts, items }
}

function assertPurchases({ userCount, itemCount, users, items, timesMs, orders }: Purchases): void {
  const count = items.length
  if (users.length !== count || timesMs.length !== count || (orders ?? users).length !== count)
    throw invalid(
      `the arrays must have one length, found ${users.length}, ${count}, ${timesMs.length}, ${orders?.length ?? 'none'}`,
    )
  for (let n = 0; n < count; n++) {
    if (users[n]! >= userCount) throw invalid(`user ${users[n]} at ${n} is not below ${userCount}`)
    if (items[n]! >= itemCount) throw invalid(`item ${items[n]} at ${n} is not below ${itemCount}`)
    if (!Number.isFinite(timesMs[n]!)) throw invalid(`time ${timesMs[n]} at ${n} is not a number`)
  }
}

function invalid(what: string): RecommenderError {
  return new RecommenderError('MODEL_INPUT_INVALID', `Purchases: ${what}`)
}
