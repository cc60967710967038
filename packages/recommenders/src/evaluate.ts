import type { FitSignal, Model } from './model.ts'
import { type SparseMatrix, userItemMatrix } from './sparse-matrix.ts'
import type { Split } from './splits.ts'
import { timelineOf, userTimelines } from './timelines.ts'

/** Metrics of one model over test users, all of full rankings. */
export interface Evaluation {
  /**
   * `recall@k`, `ndcg@k`, `map@k`, `hit_rate@k`, `mrr@k`: means over users; `coverage@k`: share of items recommended to
   * anybody; `novelty@k`: mean of -log2(share of users who have the item), in bits (Vargas and Castells, RecSys 2011, §4.1);
   * `popularity@k`: mean number of users of what is recommended, divided by that of what was wanted (1: no bias).
   */
  readonly metrics: Readonly<Record<string, number>>
  /** nDCG of each test user, in the order of `users`. */
  readonly ndcgByUser: Float64Array
  readonly users: Uint32Array
}

/**
 * Ranks all items for every user with both a past and a test item that is new to them; the user's training items, newest first, are
 * what is asked with and masked, no negatives are sampled. recall = hits / test items; nDCG with binary gains and the ideal cut at k
 * (Järvelin and Kekäläinen, TOIS 2002). `userLimit` takes every n-th user, to bound the time.
 */
export function evaluate(
  model: Model,
  { train, test }: Split,
  k: number,
  options: FitSignal & { readonly userLimit?: number } = {},
): Evaluation {
  const past = userTimelines(train)
  const future = userItemMatrix(test)
  const users = testUsers(past, future, options.userLimit ?? Number.POSITIVE_INFINITY)
  const sums = { recall: 0, ndcg: 0, map: 0, hit_rate: 0, mrr: 0 }
  const popularity = new PopularityOf(past)
  const ndcgByUser = new Float64Array(users.length)
  const shown = new Set<number>()
  for (const [position, user] of users.entries()) {
    if (position % 256 === 0) {
      options.signal?.throwIfAborted()
      options.onProgress?.(position / users.length)
    }
    const wanted = newItems(past, future, user)
    const { items } = model.recommend(timelineOf(past, user), { k })
    const one = rankMetrics(items, wanted, k)
    for (const item of items) shown.add(item)
    popularity.add(items, wanted)
    sums.recall += one.recall
    sums.ndcg += one.ndcg
    sums.map += one.map
    sums.hit_rate += one.recall > 0 ? 1 : 0
    sums.mrr += one.mrr
    ndcgByUser[position] = one.ndcg
  }
  const mean = (sum: number) => (users.length === 0 ? 0 : sum / users.length)
  const metrics = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [`${name}@${k}`, mean(sum)]))
  metrics[`coverage@${k}`] = model.itemCount === 0 ? 0 : shown.size / model.itemCount
  metrics[`novelty@${k}`] = popularity.novelty
  metrics[`popularity@${k}`] = popularity.bias
  return { metrics, ndcgByUser, users }
}

/** How popular in training what is recommended is. */
class PopularityOf {
  readonly #degrees: Float32Array
  readonly #userCount: number
  #bits = 0
  readonly #shown = { count: 0, users: 0 }
  readonly #wanted = { count: 0, users: 0 }

  constructor(past: SparseMatrix) {
    this.#degrees = new Float32Array(past.columnCount)
    for (const item of past.columns) this.#degrees[item]! += 1
    this.#userCount = Math.max(1, past.rowCount)
  }

  add(items: Uint32Array, wanted: ReadonlySet<number>): void {
    for (const item of items) {
      const degree = this.#degrees[item]!
      this.#bits -= Math.log2(Math.max(1, degree) / this.#userCount)
      this.#shown.count += 1
      this.#shown.users += degree
    }
    for (const item of wanted) {
      this.#wanted.count += 1
      this.#wanted.users += this.#degrees[item]!
    }
  }

  get novelty(): number {
    return this.#shown.count === 0 ? 0 : this.#bits / this.#shown.count
  }

  get bias(): number {
    const { count, users } = this.#wanted
    return users === 0 || this.#shown.count === 0
      ? 0
      : this.#shown.users / this.#shown.count / (users / count)
  }
}

/** Mean with its 95 % interval by the normal approximation. */
export function meanWithInterval(values: Float64Array): {
  readonly mean: number
  readonly low: number
  readonly high: number
} {
  return pairedDifference(values, new Float64Array(values.length))
}

/**
 * Mean difference a − b over the same users with its 95 % interval by the normal approximation of the paired
 * differences. A gate asks whether `low` is above 0.
 */
export function pairedDifference(
  a: Float64Array,
  b: Float64Array,
): { readonly mean: number; readonly low: number; readonly high: number } {
  const count = Math.min(a.length, b.length)
  if (count === 0) return { mean: 0, low: 0, high: 0 }
  let sum = 0
  let squares = 0
  for (let n = 0; n < count; n++) {
    const difference = a[n]! - b[n]!
    sum += difference
    squares += difference * difference
  }
  const mean = sum / count
  const error = 1.96 * Math.sqrt(Math.max(0, squares / count - mean * mean) / count)
  return { mean, low: mean - error, high: mean + error }
}

/** Recall, nDCG, average precision (over min(wanted, k)) and reciprocal rank of one ranking. */
export function rankMetrics(
  ranked: Uint32Array,
  wanted: ReadonlySet<number>,
  k: number,
): { readonly recall: number; readonly ndcg: number; readonly map: number; readonly mrr: number } {
  let hits = 0
  let precisions = 0
  let gain = 0
  let first = 0
  for (let rank = 0; rank < Math.min(k, ranked.length); rank++) {
    if (!wanted.has(ranked[rank]!)) continue
    hits += 1
    precisions += hits / (rank + 1)
    gain += 1 / Math.log2(rank + 2)
    if (first === 0) first = 1 / (rank + 1)
  }
  let ideal = 0
  for (let rank = 0; rank < Math.min(k, wanted.size); rank++) ideal += 1 / Math.log2(rank + 2)
  return {
    recall: wanted.size === 0 ? 0 : hits / wanted.size,
    ndcg: ideal === 0 ? 0 : gain / ideal,
    map: wanted.size === 0 ? 0 : precisions / Math.min(k, wanted.size),
    mrr: first,
  }
}

function testUsers(past: SparseMatrix, future: SparseMatrix, limit: number): Uint32Array {
  const users: number[] = []
  for (let user = 0; user < past.rowCount; user++) {
    const hasPast = past.starts[user + 1]! > past.starts[user]!
    if (hasPast && newItems(past, future, user).size > 0) users.push(user)
  }
  const step = Math.max(1, Math.ceil(users.length / limit))
  return Uint32Array.from(users.filter((_, n) => n % step === 0))
}

function newItems(past: SparseMatrix, future: SparseMatrix, user: number): Set<number> {
  const wanted = new Set(future.columns.subarray(future.starts[user], future.starts[user + 1]))
  for (const item of past.columns.subarray(past.starts[user], past.starts[user + 1])) wanted.delete(item)
  return wanted
}
