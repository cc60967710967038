/** Query of a stretch of time, UTC milliseconds; empty lets the API choose the stretch that ends with the newest event. */
export interface PeriodQuery {
  readonly from?: number
  readonly to?: number
}

/** Presets in the order they are offered; `auto` is the API's own. */
export const PERIODS = ['auto', 'day', 'week', 'month', 'quarter'] as const
export type PeriodName = (typeof PERIODS)[number]

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const DAYS: Readonly<Record<Exclude<PeriodName, 'auto'>, number>> = {
  day: 1,
  week: 7,
  month: 30,
  quarter: 90,
}

/**
 * The stretch of a preset. It ends with the running minute, or with the newest event where that is longer ago than the
 * stretch is long, so that replayed history shows itself.
 */
export function periodQuery(name: PeriodName, nowMs: number, newestMs: number | null): PeriodQuery {
  if (name === 'auto') return {}
  const lengthMs = DAYS[name] * DAY_MS
  const isQuiet = newestMs !== null && newestMs < nowMs - lengthMs
  const to = (Math.floor((isQuiet ? newestMs : nowMs) / MINUTE_MS) + 1) * MINUTE_MS
  return { from: to - lengthMs, to }
}
