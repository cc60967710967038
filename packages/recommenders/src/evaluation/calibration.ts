import type { UserItems } from '../model.ts'
import type { ItemGroups } from './item-groups.ts'

/** Share of the past mixed into a list, so that a group the list lacks costs much, not endlessly; Steck's value. */
const SMOOTHING = 0.01

/**
 * How far the groups of a list are from those of the user's past: Σ_g p(g) ln(p(g) / q̃(g)), in nats, with p by the weights of the past, q by
 * the items of the list, q̃ = (1 − α) q + α p (Steck, "Calibrated Recommendations", RecSys 2018). 0: the same shares; lower is better;
 * at most ln(1 / α) = 4.6. NaN where no item of one side is of a known group.
 */
export class Calibration {
  readonly #groups: Int32Array
  readonly #past: Float64Array
  readonly #list: Float64Array
  readonly #ofPast = new Set<number>()

  constructor({ groupCount, groups }: ItemGroups) {
    this.#groups = groups
    this.#past = new Float64Array(groupCount)
    this.#list = new Float64Array(groupCount)
  }

  divergenceOf(past: UserItems, items: Uint32Array): number {
    this.#past.fill(0)
    this.#list.fill(0)
    this.#ofPast.clear()
    let pastSum = 0
    let listSum = 0
    for (let n = 0; n < past.items.length; n++) {
      const group = this.#groups[past.items[n]!]!
      if (group < 0) continue
      this.#past[group]! += past.weights[n]!
      this.#ofPast.add(group)
      pastSum += past.weights[n]!
    }
    for (const item of items) {
      const group = this.#groups[item]!
      if (group < 0) continue
      this.#list[group]! += 1
      listSum += 1
    }
    if (pastSum === 0 || listSum === 0) return Number.NaN
    let sum = 0
    for (const group of this.#ofPast) {
      const p = this.#past[group]! / pastSum
      const q = (1 - SMOOTHING) * (this.#list[group]! / listSum) + SMOOTHING * p
      sum += p * Math.log(p / q)
    }
    return sum
  }
}
