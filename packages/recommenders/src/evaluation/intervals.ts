import { studentQuantile, studentTwoSided } from './student-t.ts'

/** A mean with its 95 % confidence interval. */
export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** A mean difference over the same units, with the two-sided p-value of "there is none". */
export interface PairedDifference extends Interval {
  readonly p: number
}

const LEVEL = 0.05

/**
 * Mean of independent values with its interval by Student's t, mean ± t(n − 1) · s / √n, which for hundreds of values is the normal one.
 * NaN marks a value that is not there, and is left out. Of one value the interval is unbounded, of none all is 0.
 */
export function meanWithInterval(values: Float64Array): Interval {
  const known = values.some(Number.isNaN) ? values.filter((value) => !Number.isNaN(value)) : values
  const { mean, low, high } = pairedDifference(known, new Float64Array(known.length))
  return { mean, low, high }
}

/**
 * The paired t-test of a − b over the same units (Student 1908; of the tests in use for rankings the usual one: Smucker et al., CIKM
 * 2007). Where a unit holds several predictions (a session), values are sums over them and `sizes` their counts: then it is the test of the ratio of
 * sums, with the error clustered by unit (Liang and Zeger, Biometrika 1986).
 */
export function pairedDifference(
  a: Float64Array,
  b: Float64Array,
  sizes: Float64Array = new Float64Array(a.length).fill(1),
): PairedDifference {
  const count = Math.min(a.length, b.length)
  let sum = 0
  let size = 0
  for (let n = 0; n < count; n++) {
    sum += a[n]! - b[n]!
    size += sizes[n]!
  }
  if (size === 0) return { mean: 0, low: 0, high: 0, p: 1 }
  const mean = sum / size
  let squares = 0
  for (let n = 0; n < count; n++) squares += (a[n]! - b[n]! - mean * sizes[n]!) ** 2
  const error = Math.sqrt((squares * count) / Math.max(1, count - 1)) / size
  return { mean, ...around(mean, error, count - 1) }
}

/** Σ a / Σ b over the same units, with the interval of its linearisation (the delta method). 0 where b is. */
export function ratioWithInterval(a: Float64Array, b: Float64Array): Interval {
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)
  const below = sum(b)
  if (below === 0) return { mean: 0, low: 0, high: 0 }
  const { mean, low, high } = pairedDifference(a, new Float64Array(a.length), b)
  return { mean, low, high }
}

function around(mean: number, error: number, degrees: number) {
  if (degrees < 1) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, p: 1 }
  const half = error * studentQuantile(LEVEL, degrees)
  const same = mean === 0 ? 1 : 0
  return {
    low: mean - half,
    high: mean + half,
    p: error === 0 ? same : studentTwoSided(mean / error, degrees),
  }
}
