/** Count, mean and variance (of a sample, n − 1) of one value per unit. */
export interface Moments {
  readonly count: number
  readonly mean: number
  readonly variance: number
}

/** An estimated `mean(treated) − factor · mean(control)`, from `count` units in all. */
export interface Contrast {
  readonly estimate: number
  readonly standardError: number
  readonly count: number
}

/** How surely, and for how many units it is tuned. */
export interface SequentialOptions {
  /** Probability that the true value is ever outside, over the whole time of watching. */
  readonly alpha: number
  readonly plannedCount: number
}

/** A range that holds the true value at all times at once. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** `factor` 1 compares the means; 0.98 asks whether the treated keeps more than 98 % of the control's. */
export function contrast(treated: Moments, control: Moments, factor = 1): Contrast {
  const variance =
    treated.variance / Math.max(1, treated.count) +
    (factor ** 2 * control.variance) / Math.max(1, control.count)
  return {
    estimate: treated.mean - factor * control.mean,
    standardError: Math.sqrt(variance),
    count: treated.count + control.count,
  }
}

/**
 * The confidence sequence of a contrast: looked at as often as one likes, it misses the true value with probability `alpha` at
 * most, asymptotically. It is
 *
 *     estimate ± s · √( (1 + 1/r) · log((1 + r) / α²) ),   r = κ · n / n_planned
 *
 * with s the standard error: the two-sided normal mixture boundary (Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon,
 * "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49(2), 2021, §3.2), with an estimated
 * variance (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences",
 * Annals of Statistics 52(6), 2024, Theorem 2.2). It holds the values that the mixture SPRT of Johari, Koomen, Pekelis, Walsh
 * ("Peeking at A/B Tests", KDD 2017) with a prior variance of r · s² does not reject. κ makes it narrowest at n_planned.
 */
export function confidenceSequence(
  { estimate, standardError, count }: Contrast,
  { alpha, plannedCount }: SequentialOptions,
): Interval {
  const r = informationRatio(count, { alpha, plannedCount })
  const radius = standardError * Math.sqrt((1 + 1 / r) * Math.log((1 + r) / alpha ** 2))
  return { low: estimate - radius, high: estimate + radius }
}

/** The always-valid p-value: 1 over the mixture likelihood ratio, at most 1. At `alpha` or below exactly when 0 is not in the confidence sequence. */
export function alwaysValidP(
  { estimate, standardError, count }: Contrast,
  options: SequentialOptions,
): number {
  if (standardError === 0) return 1
  const r = informationRatio(count, options)
  const z = estimate / standardError
  return Math.min(1, Math.sqrt(1 + r) * Math.exp((-(z ** 2) / 2) * (r / (1 + r))))
}

/** Information gathered over the mixture's own; its best value at the planned count is approximated as in Howard et al. 2021, §3.5. */
function informationRatio(count: number, { alpha, plannedCount }: SequentialOptions): number {
  const log = 2 * Math.log(1 / alpha)
  return ((log + Math.log(1 + log)) * Math.max(1, count)) / plannedCount
}
