import { rankMetrics } from '../evaluation/rank-metrics.ts'
import type { FitSignal, Model, ScoredItems } from '../model.ts'
import { type BasketHistory, type BasketSplit, historiesOf } from './baskets.ts'

/** Answers the `k` products that a user's next basket should hold, those bought before included. */
export type NextBasketRanker = (history: BasketHistory, k: number) => ScoredItems

/** Metrics of one ranker over users with a test basket, all of full rankings. */
export interface BasketEvaluation {
  /**
   * Means over users: `recall@k`, `ndcg@k`, `hit_rate@k`. By what was bought before and what was not, over the users whose test basket has
   * such products: `repeat_recall@k`, `explore_recall@k`. `repeat_share@k`: share of what is shown that was bought before;
   * `wanted_repeat_share`: the same of the test baskets, whoever ranks.
   */
  readonly metrics: Readonly<Record<string, number>>
  readonly userCount: number
  /** nDCG of each user: for `pairedDifference`. */
  readonly ndcgByUser: Float64Array
}

const PROGRESS_STEP = 256

/**
 * Each user with train baskets predicts the first of their test baskets; all products are ranked, none sampled, none masked. The split by repeats
 * follows Li, Jullien, Ariannezhad, de Rijke: "A Next Basket Recommendation Reality Check", TOIS 2023, §4.3: one figure hides that most
 * methods only repeat.
 */
export function evaluateBaskets(
  rank: NextBasketRanker,
  { train, test }: BasketSplit,
  { k, signal, onProgress }: FitSignal & { readonly k: number },
): BasketEvaluation {
  const past = historiesOf(train)
  const future = historiesOf(test)
  const users = [...past.keys()].filter((user) => past[user]!.length > 0 && (future[user]?.length ?? 0) > 0)
  const means = new Means()
  const ndcgByUser = new Float64Array(users.length)
  for (const [place, user] of users.entries()) {
    if (place % PROGRESS_STEP === 0) {
      signal?.throwIfAborted()
      onProgress?.(place / users.length)
    }
    const before = new Set(past[user]!.flatMap((basket) => [...basket]))
    const wanted = new Set(future[user]!.at(-1)!)
    const { items } = rank(past[user]!, k)
    const { recall, ndcg } = rankMetrics(items, wanted, k)
    means.add(`recall@${k}`, recall)
    means.add(`ndcg@${k}`, ndcg)
    means.add(`hit_rate@${k}`, recall > 0 ? 1 : 0)
    const repeats = new Set([...wanted].filter((item) => before.has(item)))
    const explored = new Set([...wanted].filter((item) => !before.has(item)))
    if (repeats.size > 0) means.add(`repeat_recall@${k}`, rankMetrics(items, repeats, k).recall)
    if (explored.size > 0) means.add(`explore_recall@${k}`, rankMetrics(items, explored, k).recall)
    if (items.length > 0)
      means.add(`repeat_share@${k}`, items.filter((item) => before.has(item)).length / items.length)
    means.add('wanted_repeat_share', repeats.size / wanted.size)
    ndcgByUser[place] = ndcg
  }
  onProgress?.(1)
  return { metrics: means.all(), userCount: users.length, ndcgByUser }
}

/** Metrics of one model over carts. */
export interface CartEvaluation {
  /** Means over carts of the product left out: `hit_rate@k`, `mrr@k`; `coverage@k`: share of the catalogue that was shown at all. */
  readonly metrics: Readonly<Record<string, number>>
  readonly cartCount: number
  /** 1 / rank of the product left out, 0 beyond k, of each cart: for `pairedDifference`. */
  readonly reciprocalRanks: Float64Array
}

/**
 * From each test basket of several products one is left out, and the rest, as a cart, asks for it; which, its number tells. Products that no train
 * basket has are left out of the test.
 */
export function evaluateCarts(
  model: Model,
  { train, test }: BasketSplit,
  { k, signal, onProgress }: FitSignal & { readonly k: number },
): CartEvaluation {
  const isKnown = new Uint8Array(train.itemCount)
  for (const item of train.items) isKnown[item] = 1
  const carts = Array.from(test.users, (_, n) =>
    test.items.subarray(test.starts[n], test.starts[n + 1]).filter((item) => isKnown[item] === 1),
  ).filter(({ length }) => length > 1)
  const shown = new Set<number>()
  const reciprocalRanks = new Float64Array(carts.length)
  for (const [n, cart] of carts.entries()) {
    if (n % PROGRESS_STEP === 0) {
      signal?.throwIfAborted()
      onProgress?.(n / carts.length)
    }
    const wanted = cart[n % cart.length]!
    const items = cart.filter((item) => item !== wanted)
    const answer = model.recommend({ items, weights: new Float32Array(items.length).fill(1) }, { k })
    for (const item of answer.items) shown.add(item)
    reciprocalRanks[n] = rankMetrics(answer.items, new Set([wanted]), k).mrr
  }
  onProgress?.(1)
  const mean = (values: Float64Array) =>
    values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    metrics: {
      [`hit_rate@${k}`]: mean(reciprocalRanks.map((rank) => (rank > 0 ? 1 : 0))),
      [`mrr@${k}`]: mean(reciprocalRanks),
      [`coverage@${k}`]: train.itemCount === 0 ? 0 : shown.size / train.itemCount,
    },
    cartCount: carts.length,
    reciprocalRanks,
  }
}

/** Means by name, each over as many values as were added. */
class Means {
  readonly #sums = new Map<string, { sum: number; count: number }>()

  add(name: string, value: number): void {
    const one = this.#sums.get(name) ?? { sum: 0, count: 0 }
    one.sum += value
    one.count += 1
    this.#sums.set(name, one)
  }

  all(): Record<string, number> {
    return Object.fromEntries([...this.#sums].map(([name, { sum, count }]) => [name, sum / count]))
  }
}
