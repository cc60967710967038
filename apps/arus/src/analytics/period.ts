/** A stretch of event time as asked for, UTC milliseconds; `toMs` is not included, an absent end is filled in. */
export interface PeriodRequest {
  readonly fromMs?: number
  readonly toMs?: number
}

/** A stretch of event time, UTC milliseconds; `toMs` is not included. */
export interface Period {
  readonly fromMs: number
  readonly toMs: number
}

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/**
 * Fills the open ends of a period. The end is the next full minute, so that answers of one minute are the same; the
 * beginning is `lengthMs` before the end. With neither given, and nothing in that stretch, it is the stretch that ends
 * with the newest event: replayed history shows itself without its dates being known.
 */
export function resolvePeriod(
  request: PeriodRequest,
  lengthMs: number,
  { nowMs, newestMs }: { readonly nowMs: number; readonly newestMs: number | null },
): Period {
  const { fromMs } = request
  const nextMinuteMs = (Math.floor(nowMs / MINUTE_MS) + 1) * MINUTE_MS
  if (request.toMs !== undefined) return { fromMs: fromMs ?? request.toMs - lengthMs, toMs: request.toMs }
  if (fromMs !== undefined) return { fromMs, toMs: Math.max(nextMinuteMs, fromMs + MINUTE_MS) }
  const isQuiet = newestMs !== null && newestMs < nextMinuteMs - lengthMs
  const toMs = isQuiet ? (Math.floor(newestMs / MINUTE_MS) + 1) * MINUTE_MS : nextMinuteMs
  return { fromMs: toMs - lengthMs, toMs }
}
