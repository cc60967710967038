/** Half-lives in one period. What is older than two periods has less than a 65,536th of its weight left. */
const PERIOD_HALF_LIVES = 16
/** Weights are kept in whole 256ths. */
const SCALE = 256

/**
 * A count that decays by half each half-life, as whole numbers: the newest period (counted from 1970), the sum of weights
 * in it, and the sum in the one before, each weight grown to what it would have been at the period's beginning.
 */
export type DecayedCount = readonly [period: number, newest: number, before: number]

export const NO_COUNT: DecayedCount = [Number.MIN_SAFE_INTEGER, 0, 0]

/**
 * Adds `weight` at event time `tsMs`: forward decay with an exponential function (Cormode, Shkapenyuk, Srivastava, Xu,
 * "Forward Decay", ICDE 2009, eq. 1). Whole numbers add up to the same sum in any order, so partitions may be read as they
 * come, and a rebuild gives the same bytes (up to some 90 million purchases in a half-life).
 */
export function addDecayed(
  count: DecayedCount,
  {
    tsMs,
    weight,
    halfLifeMs,
  }: { readonly tsMs: number; readonly weight: number; readonly halfLifeMs: number },
): DecayedCount {
  const periodMs = halfLifeMs * PERIOD_HALF_LIVES
  const period = Math.floor(tsMs / periodMs)
  const grown = Math.round(weight * SCALE * 2 ** ((tsMs - period * periodMs) / halfLifeMs))
  const [known, newest, before] = count
  if (period === known) return [period, newest + grown, before]
  if (period === known - 1) return [known, newest, before + grown]
  if (period < known) return count
  return [period, grown, period === known + 1 ? newest : 0]
}

/** What is left of the count. A period that has not begun counts for nothing: some clock was ahead. */
export function decayedAt([period, newest, before]: DecayedCount, nowMs: number, halfLifeMs: number): number {
  const periodMs = halfLifeMs * PERIOD_HALF_LIVES
  const left = (sum: number, start: number) =>
    sum === 0 || start > nowMs ? 0 : (sum / SCALE) * 2 ** ((start - nowMs) / halfLifeMs)
  return newest === 0 && before === 0
    ? 0
    : left(newest, period * periodMs) + left(before, (period - 1) * periodMs)
}

/** The count without a period that has not begun, so that a clock that was ahead does not keep the present out. */
export function withoutFuture(count: DecayedCount, nowMs: number, halfLifeMs: number): DecayedCount {
  const [period, , before] = count
  if (period * halfLifeMs * PERIOD_HALF_LIVES <= nowMs) return count
  return before === 0 ? NO_COUNT : withoutFuture([period - 1, before, 0], nowMs, halfLifeMs)
}
