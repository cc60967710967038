/** Probability that Student's t of `degrees` ≥ 1 degrees of freedom is at least as far from 0 as `t`: the two-sided p-value. */
export function studentTwoSided(t: number, degrees: number): number {
  return Number.isNaN(t) ? Number.NaN : incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
}

/** The t that is exceeded, on either side, with probability `p`; ∞ for no degree of freedom. */
export function studentQuantile(p: number, degrees: number): number {
  if (degrees < 1) return Number.POSITIVE_INFINITY
  let low = 0
  let high = 2
  while (studentTwoSided(high, degrees) > p) high *= 2
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (studentTwoSided(middle, degrees) > p) low = middle
    else high = middle
  }
  return high
}

/** I_x(a, b) by its continued fraction (DLMF 8.17.22), evaluated by Lentz's method; 8.17.4 where that converges faster. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)) / a
  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let fraction = d
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    fraction *= c * d
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    fraction *= c * d
    if (Math.abs(c * d - 1) < 1e-13) break
  }
  return front * fraction
}

function away(value: number): number {
  return Math.abs(value) < 1e-300 ? 1e-300 : value
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b)
}

/** ln Γ(x) for x > 0: recurrence up to 10, then Stirling's series (DLMF 5.11.1). */
function logGamma(x: number): number {
  let shift = 0
  let z = x
  for (; z < 10; z++) shift += Math.log(z)
  const square = 1 / (z * z)
  const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / z
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift
}
