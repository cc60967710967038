import { ArusError } from '../errors.ts'

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

/** Steps of equal length that cover a period; the first may begin before it. */
export interface Steps {
  /** Start of each step, UTC milliseconds. */
  readonly times: readonly number[]
  readonly stepMs: number
}

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** Length of each interval a series can have. */
export const INTERVAL_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const

/** Points of a series at most: 136 years of days, 34 days of minutes. */
const STEPS_MAX = 50_000

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

/** The steps of a period, aligned to UTC. Throws `REQUEST_INVALID` when there are more than 50,000. */
export function stepsOf({ fromMs, toMs }: Period, interval: keyof typeof INTERVAL_MS): Steps {
  const stepMs = INTERVAL_MS[interval]
  const first = Math.floor(fromMs / stepMs)
  const count = Math.max(0, Math.ceil(toMs / stepMs) - first)
  if (count > STEPS_MAX) {
    throw new ArusError(
      'REQUEST_INVALID',
      `The period has ${count} steps of one ${interval}, at most ${STEPS_MAX} are possible; ask for a shorter one or a longer interval`,
    )
  }
  return { times: Array.from({ length: count }, (_, i) => (first + i) * stepMs), stepMs }
}
