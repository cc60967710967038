import { type Interval, pairedDifference, ratioWithInterval } from '../evaluation/intervals.ts'
import { type LoggedList, type RewardModel, unitOf } from './logged-list.ts'

/** What a policy would bring per list, over the ranks that were shown, estimated from lists that another policy showed. */
export interface OffPolicyEstimate {
  readonly kind: 'estimated'
  readonly listCount: number
  /** What the lists as they were shown brought. */
  readonly logged: Interval
  /** Inverse propensity scores: unbiased, of the largest variance. */
  readonly ips: Interval
  /** Self-normalised: biased by order 1 / n, steadier. */
  readonly snips: Interval
  /** Doubly robust; null where no reward model was given. */
  readonly doublyRobust: Interval | null
  /** The difference to what was shown, by the doubly robust estimate where there is one, else by IPS. */
  readonly gain: Interval
  /** How many shown items the target has at the same rank: what the estimates rest on. */
  readonly matchCount: number
  /** As how many equally weighted items these count: (Σ w)² / Σ w² (Kish, Survey Sampling, 1965). */
  readonly effectiveSampleSize: number
  /**
   * Mean weight of a shown rank: 1 where the exploration could show all that the target shows. Where `high` is below 1, it could not, and
   * IPS counts what was never explored as nothing.
   */
  readonly meanWeight: Interval
}

/** Why nothing can be said. */
export interface OffPolicyRefusal {
  readonly kind: 'refused'
  readonly because: 'no-lists' | 'no-propensity' | 'impossible-propensity' | 'too-few'
  readonly message: string
}

export interface EstimateOptions<Item> {
  /** For doubly robust estimation. It must not have seen the rewards of the list it is asked for: see `crossFittedClickModel`. */
  readonly rewardModel?: RewardModel<Item>
  /** Fewer effective samples than this are refused. Default 30. */
  readonly effectiveSampleMin?: number
}

const EFFECTIVE_SAMPLE_MIN = 30

/**
 * Judges a policy by lists that another one showed. With w = 1 / propensity where the target has the item shown at the same rank, else 0:
 * IPS = mean over lists of Σ_k w_k r_k, the item-position model of clicks (Li et al., KDD 2018), in which what an item brings depends on
 * its rank, not on its neighbours. SNIPS = Σ w r / Σ w over all lists and ranks, times the mean length (Swaminathan and Joachims, NeurIPS 2015).
 * Doubly robust = mean of Σ_k q(target_k, k) + w_k (r_k − q(shown_k, k)) (Dudík et al., ICML 2011): unbiased where the
 * propensities or q are right. Intervals are 95 %, with the error clustered by unit, SNIPS' by linearisation.
 */
export function estimateOffPolicy<Item>(
  lists: readonly LoggedList<Item>[],
  options: EstimateOptions<Item> = {},
): OffPolicyEstimate | OffPolicyRefusal {
  const refusal = refusalOf(lists)
  if (refusal !== null) return refusal
  const weights = lists.map(weightsOf)
  const { matchCount, effectiveSampleSize } = sampleOf(weights)
  const { rewardModel, effectiveSampleMin = EFFECTIVE_SAMPLE_MIN } = options
  if (effectiveSampleSize < effectiveSampleMin) {
    const found = `${matchCount} shown items are what the policy would have shown at the same rank, worth ${effectiveSampleSize.toFixed(1)} equally likely ones`
    return refused('too-few', `${found}; at least ${effectiveSampleMin} are needed: explore longer, or more`)
  }
  const units = unitsOf(lists)
  const perUnit = (measure: (list: LoggedList<Item>, weights: readonly number[]) => number) => {
    const sums = new Float64Array(units.count)
    for (const [n, list] of lists.entries()) sums[units.of[n]!]! += measure(list, weights[n]!)
    return sums
  }
  const counts = perUnit(() => 1)
  const logged = perUnit(({ rewards }) => sum(rewards))
  const ips = perUnit(({ rewards }, w) => dot(w, rewards))
  const total = perUnit((_, w) => sum(w))
  const shown = perUnit(({ items }) => items.length)
  const robust = rewardModel && perUnit((list, w) => robustValueOf(list, w, rewardModel))
  const { mean, low, high } = pairedDifference(robust ?? ips, logged, counts)
  return {
    kind: 'estimated',
    listCount: lists.length,
    logged: ratioWithInterval(logged, counts),
    ips: ratioWithInterval(ips, counts),
    snips: times(ratioWithInterval(ips, total), ratioWithInterval(shown, counts).mean),
    doublyRobust: robust ? ratioWithInterval(robust, counts) : null,
    gain: { mean, low, high },
    matchCount,
    effectiveSampleSize,
    meanWeight: ratioWithInterval(total, shown),
  }
}

/** The unit of each list, numbered from 0. */
function unitsOf(lists: readonly LoggedList<unknown>[]): {
  readonly of: Uint32Array
  readonly count: number
} {
  const numbers = new Map<unknown, number>()
  const of = Uint32Array.from(lists, (list) => {
    const unit = unitOf(list)
    if (!numbers.has(unit)) numbers.set(unit, numbers.size)
    return numbers.get(unit)!
  })
  return { of, count: numbers.size }
}

function refusalOf<Item>(lists: readonly LoggedList<Item>[]): OffPolicyRefusal | null {
  if (lists.length === 0) return refused('no-lists', 'No list was logged')
  for (const { items, propensities, rewards } of lists) {
    if (propensities.length < items.length || rewards.length < items.length) {
      const found = `${items.length} items, ${propensities.length} propensities, ${rewards.length} rewards`
      return refused('no-propensity', `Each item shown needs its propensity and its reward; found ${found}`)
    }
    const wrong = propensities.find((propensity) => !(propensity > 0 && propensity <= 1))
    if (wrong !== undefined)
      return refused(
        'impossible-propensity',
        `A propensity must be above 0 and at most 1; found ${wrong}: what was shown could be shown`,
      )
  }
  return null
}

function refused(because: OffPolicyRefusal['because'], message: string): OffPolicyRefusal {
  return { kind: 'refused', because, message }
}

function weightsOf<Item>({ items, propensities, target }: LoggedList<Item>): number[] {
  return items.map((item, rank) => (target[rank] === item ? 1 / propensities[rank]! : 0))
}

function sampleOf(weights: readonly (readonly number[])[]) {
  let matchCount = 0
  let total = 0
  let squares = 0
  for (const weight of weights.flat()) {
    if (weight > 0) matchCount += 1
    total += weight
    squares += weight * weight
  }
  return { matchCount, effectiveSampleSize: squares === 0 ? 0 : total ** 2 / squares }
}

function robustValueOf<Item>(
  list: LoggedList<Item>,
  weights: readonly number[],
  rewardModel: RewardModel<Item>,
): number {
  let value = 0
  for (const [rank, item] of list.items.entries()) {
    const wanted = list.target[rank]
    if (wanted !== undefined) value += rewardModel(list, wanted, rank)
    if (weights[rank]! > 0) value += weights[rank]! * (list.rewards[rank]! - rewardModel(list, item, rank))
  }
  return value
}

function times({ mean, low, high }: Interval, factor: number): Interval {
  return { mean: mean * factor, low: low * factor, high: high * factor }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, n) => total + value * b[n]!, 0)
}
