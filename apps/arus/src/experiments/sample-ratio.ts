/** Units a prior is worth: the test is sharpest at some ten times as many. */
const PRIOR_UNITS = 500

/** Whether shoppers came into the variants in the shares that were planned. */
export interface SampleRatio {
  /** Always-valid: may be looked at as often as one likes. */
  readonly p_value: number
  readonly is_mismatch: boolean
}

/** A mismatch is told at this p-value: an experiment with one cannot be believed, so it should hardly ever be told in error. */
const ALPHA = 0.001

/**
 * The sequential test for a sample ratio mismatch of Lindon and Malek ("Anytime-Valid Inference for Multinomial Count Data",
 * NeurIPS 2022): the Bayes factor of a Dirichlet prior around the planned shares θ against θ itself,
 *
 *     B = Γ(A) / Γ(A + n) · Π Γ(αᵢ + nᵢ) / Γ(αᵢ) · Π θᵢ^(−nᵢ),   αᵢ = A · θᵢ,
 *
 * is a martingale where the shares are θ, so 1/B is an always-valid p-value. Exact at any count.
 */
export function sampleRatio(counts: readonly number[], shares: readonly number[]): SampleRatio {
  const total = shares.reduce((sum, share) => sum + share, 0)
  const count = counts.reduce((sum, n) => sum + n, 0)
  let logFactor = logGamma(PRIOR_UNITS) - logGamma(PRIOR_UNITS + count)
  for (const [i, n] of counts.entries()) {
    const theta = (shares[i] ?? 0) / total
    logFactor += logGamma(PRIOR_UNITS * theta + n) - logGamma(PRIOR_UNITS * theta) - n * Math.log(theta)
  }
  const p_value = Math.min(1, Math.exp(-logFactor))
  return { p_value, is_mismatch: p_value < ALPHA }
}

/** log Γ(x) for x > 0, by Stirling's series from 10 up and Γ(x + 1) = x Γ(x) below. */
export function logGamma(x: number): number {
  let shift = 0
  let at = x
  while (at < 10) shift += Math.log(at++)
  const series = 1 / (12 * at) - 1 / (360 * at ** 3) + 1 / (1260 * at ** 5)
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - shift
}
