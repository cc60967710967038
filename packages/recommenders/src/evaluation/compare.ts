import { type PairedDifference, pairedDifference } from './intervals.ts'

/** A metric of one model by unit: by user, or by session with how many predictions each holds. */
export interface UnitScores {
  /** Sums over the predictions of each unit. */
  readonly values: Float64Array
  /** Default: one prediction a unit. */
  readonly sizes?: Float64Array
}

/** How far a model is from another over the same users. */
export interface Comparison extends PairedDifference {
  /** The p-value when as many models are compared as there were (Holm). */
  readonly pAdjusted: number
}

/** Differences at or above which chance alone would do are not called significant. */
export const SIGNIFICANCE_LEVEL = 0.05

/** Each of `models` against the one called `reference`, by paired t-tests over the same units, corrected for their number by Holm. */
export function compareWith(
  models: ReadonlyMap<string, UnitScores>,
  reference: string,
): ReadonlyMap<string, Comparison> {
  const other = models.get(reference)
  if (other === undefined) return new Map()
  const found = [...models]
    .filter(([name]) => name !== reference)
    .map(([name, { values, sizes }]) => ({ name, ...pairedDifference(values, other.values, sizes) }))
  const adjusted = holm(found.map(({ p }) => p))
  return new Map(found.map(({ name, ...one }, n) => [name, { ...one, pAdjusted: adjusted[n]! }]))
}

/**
 * p-values adjusted for their number, in the order given: of m, the i-th smallest is multiplied by m + 1 − i, and none is below a smaller one
 * (Holm, Scandinavian Journal of Statistics 1979). Whatever their dependence, the chance of one wrong claim stays below the level.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, n) => n).sort((a, b) => pValues[a]! - pValues[b]!)
  const adjusted = new Array<number>(pValues.length).fill(1)
  let least = 0
  for (const [rank, n] of order.entries()) {
    least = Math.max(least, Math.min(1, pValues[n]! * (pValues.length - rank)))
    adjusted[n] = least
  }
  return adjusted
}
