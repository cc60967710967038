import { agedWeights, BLEND_DEPTH, joinLists, partOf } from './blend-model.ts'
import { rankMetrics } from './evaluation/rank-metrics.ts'
import type { Model, ScoredItems, UserItems } from './model.ts'

/** Users of a validation split, with what they are to be shown. */
export interface Judge {
  readonly users: readonly { readonly past: UserItems; readonly wanted: ReadonlySet<number> }[]
  readonly k: number
}

/** For each user of a judge, a model's list. */
export type Lists = readonly ScoredItems[]

/** The lists of a model for users whose items are weighed by recency, as a blend asks its parts. */
export function listsOf(model: Model, { users, k }: Judge, recencyExponent: number): Lists {
  return users.map(({ past }) => {
    const own = { items: past.items, weights: agedWeights(past.weights, recencyExponent) }
    return model.recommend(own, { k: Math.max(k, BLEND_DEPTH) })
  })
}

/** `listsOf`, asked of each model and exponent once. */
export type AskedLists = (model: Model, recencyExponent: number) => Lists

/** Remembers the lists for as long as the answer is used: about 1.6 kB for each user and list. */
export function askedOnce(judge: Judge): AskedLists {
  const known = new Map<Model, Map<number, Lists>>()
  return (model, recencyExponent) => {
    const own = known.get(model) ?? new Map<number, Lists>()
    const lists = own.get(recencyExponent) ?? listsOf(model, judge, recencyExponent)
    known.set(model, own.set(recencyExponent, lists))
    return lists
  }
}

/**
 * Mean of nDCG@k and recall@k over users: what a search maximises. nDCG alone would let the newest items count so much
 * that the first places win and recall loses.
 */
export function scoreOf(lists: Lists, { users, k }: Judge): number {
  let sum = 0
  for (const [n, { wanted }] of users.entries()) {
    const { ndcg, recall } = rankMetrics(lists[n]!.items, wanted, k)
    sum += (ndcg + recall) / 2
  }
  return users.length === 0 ? 0 : sum / users.length
}

const STEPS = [0, 0.1, 0.2, 0.35, 0.6, 1, 1.6]
const ROUNDS_MAX = 4
/** A part must gain so much, relative to what is there, to be worth its memory and time. */
const GAIN_MIN = 0.002

/**
 * Weights of a blend by coordinate ascent on `scoreOf`: the best single model has weight 1; in turn each other weight takes
 * the value that is best, until none changes. Zero: the part is left out.
 */
export function blendWeights(
  parts: readonly Lists[],
  judge: Judge,
): { readonly weights: number[]; readonly score: number } {
  const alone = parts.map((lists) => scoreOf(lists, judge))
  const first = alone.indexOf(Math.max(...alone))
  const weights: number[] = parts.map((_, n) => (n === first ? 1 : 0))
  let score = alone[first] ?? 0
  const sums = new Float64Array(itemCountOf(parts))
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let hasChanged = false
    for (let part = 0; part < parts.length; part++) {
      if (part === first) continue
      const before = weights[part]!
      for (const weight of STEPS) {
        if (weight === weights[part]) continue
        const tried = weights.with(part, weight)
        const found = scoreOf(joined(parts, tried, { judge, sums }), judge)
        const needed = weight === 0 || before > 0 ? score : score * (1 + GAIN_MIN)
        if (found <= needed) continue
        score = found
        weights[part] = weight
        hasChanged = true
      }
    }
    if (!hasChanged) break
  }
  return { weights, score }
}

/** One more than the largest item. */
function itemCountOf(parts: readonly Lists[]): number {
  let count = 0
  for (const lists of parts)
    for (const { items } of lists) for (const item of items) count = Math.max(count, item + 1)
  return count
}

/** As `BlendModel` joins lists. `sums` is scratch: a zero for each item. */
export function joined(
  parts: readonly Lists[],
  weights: readonly number[],
  { judge, sums }: { readonly judge: Judge; readonly sums: Float64Array },
): Lists {
  const used = parts
    .map((lists, n) => ({ lists, weight: weights[n]! }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  return judge.users.map((_, user) =>
    joinLists(
      used.map(({ lists, weight }) => partOf(lists[user]!, weight)),
      judge.k,
      sums,
    ),
  )
}
