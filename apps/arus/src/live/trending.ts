import { addDecayed, type DecayedCount, decayedAt, NO_COUNT, withoutFuture } from './decayed-count.ts'

/** Half-life of the recent rate. */
export const RECENT_HALF_LIFE_MS: number = 2 * 3_600_000
/** Half-life of the product's own past. */
export const PAST_HALF_LIFE_MS: number = 3 * 86_400_000

/** Decayed counts of what was done with a product, or with the products of a category. */
export interface TrendState {
  readonly recent: DecayedCount
  readonly past: DecayedCount
}

export const NO_TREND: TrendState = { recent: NO_COUNT, past: NO_COUNT }

/** Adds an interaction of strength `weight` at event time `tsMs`; the order of arrival does not matter. */
export function addToTrend({ recent, past }: TrendState, tsMs: number, weight: number): TrendState {
  return {
    recent: addDecayed(recent, { tsMs, weight, halfLifeMs: RECENT_HALF_LIFE_MS }),
    past: addDecayed(past, { tsMs, weight, halfLifeMs: PAST_HALF_LIFE_MS }),
  }
}

/** The trend without what a clock that was ahead added. */
export function trendWithoutFuture({ recent, past }: TrendState, nowMs: number): TrendState {
  return {
    recent: withoutFuture(recent, nowMs, RECENT_HALF_LIFE_MS),
    past: withoutFuture(past, nowMs, PAST_HALF_LIFE_MS),
  }
}

/**
 * How surprising the recent count is against the product's own past: (recent − expected) / √(expected + 1). At a steady
 * rate r the decayed counts are r·H/ln 2, so the past predicts expected = past · H_recent / H_past. For a Poisson count
 * the variance equals the mean, so this is a z-score; the 1 keeps products without a past from ruling the list.
 *
 * `weightSum`: all that was ever added. A decayed count is never more, unless a clock that was ahead grew some of it.
 */
export function trendScore(state: TrendState, nowMs: number, weightSum: number): number {
  const recent = decayedAt(state.recent, nowMs, RECENT_HALF_LIFE_MS)
  const past = decayedAt(state.past, nowMs, PAST_HALF_LIFE_MS)
  return surprise(Math.min(recent, weightSum), Math.min(past, weightSum))
}

/** See `trendScore`. */
export function surprise(recent: number, past: number): number {
  const expected = (past * RECENT_HALF_LIFE_MS) / PAST_HALF_LIFE_MS
  return (recent - expected) / Math.sqrt(expected + 1)
}
