/** Half-life of the recent rate. */
export const RECENT_HALF_LIFE_MS = 2 * 3_600_000
/** Half-life of the product's own past. */
export const PAST_HALF_LIFE_MS = 3 * 86_400_000

/** Decayed counts of a product's interactions, as of `atMs`. */
export interface TrendState {
  readonly recent: number
  readonly past: number
  readonly atMs: number
}

export const NO_TREND: TrendState = { recent: 0, past: 0, atMs: 0 }

/**
 * Adds an interaction of strength `weight` at event time `tsMs`. Counts decay exponentially (Cormode, Shkapenyuk,
 * Srivastava, Xu: "Forward Decay", ICDE 2009, eq. 1 with an exponential function), so the order of arrival does not
 * matter: a late event adds what is left of it.
 */
export function addToTrend(state: TrendState, tsMs: number, weight: number): TrendState {
  const atMs = Math.max(state.atMs, tsMs)
  const known = decayed(state, atMs)
  const age = atMs - tsMs
  return {
    recent: known.recent + weight * half(age, RECENT_HALF_LIFE_MS),
    past: known.past + weight * half(age, PAST_HALF_LIFE_MS),
    atMs,
  }
}

/**
 * How surprising the recent count is against the product's own past: (recent − expected) / √(expected + 1). At a steady
 * rate r the decayed counts are r·H/ln 2, so the past predicts expected = past · H_recent / H_past. For a Poisson count
 * the variance equals the mean, so this is a z-score; the 1 keeps products without a past from ruling the list.
 */
export function trendScore(state: TrendState, nowMs: number): number {
  const { recent, past } = decayed(state, Math.max(nowMs, state.atMs))
  const expected = (past * RECENT_HALF_LIFE_MS) / PAST_HALF_LIFE_MS
  return (recent - expected) / Math.sqrt(expected + 1)
}

function decayed(state: TrendState, atMs: number): TrendState {
  const age = atMs - state.atMs
  return {
    recent: state.recent * half(age, RECENT_HALF_LIFE_MS),
    past: state.past * half(age, PAST_HALF_LIFE_MS),
    atMs,
  }
}

function half(ageMs: number, halfLifeMs: number): number {
  return 2 ** (-ageMs / halfLifeMs)
}
