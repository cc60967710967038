import type { Session } from './sessions.ts'

/** Sums over the sessions that began on a day: whole numbers, so that they can be taken back exactly. */
export interface SessionSums {
  sessions: number
  events: number
  durationMs: number
  /** Sessions of one event. */
  bounces: number
  /** Sessions with a purchase. */
  buying: number
}

/** Means over sessions; null where there were none. */
export interface SessionFigures {
  readonly sessions: number
  readonly events_per_session: number | null
  readonly minutes_mean: number | null
  readonly bounce_rate: number | null
  readonly purchase_rate: number | null
}

export function noSessions(): SessionSums {
  return { sessions: 0, events: 0, durationMs: 0, bounces: 0, buying: 0 }
}

/** Adds a session to the sums, or takes it back with `sign` −1. */
export function addSession(
  sums: SessionSums,
  [, startMs, endMs, events, purchases]: Session,
  sign: 1 | -1,
): void {
  sums.sessions += sign
  sums.events += sign * events
  sums.durationMs += sign * (endMs - startMs)
  sums.bounces += events === 1 ? sign : 0
  sums.buying += purchases > 0 ? sign : 0
}

export function sessionFigures({
  sessions,
  events,
  durationMs,
  bounces,
  buying,
}: SessionSums): SessionFigures {
  const mean = (sum: number) => (sessions <= 0 ? null : sum / sessions)
  return {
    sessions,
    events_per_session: mean(events),
    minutes_mean: mean(durationMs / 60_000),
    bounce_rate: mean(bounces),
    purchase_rate: mean(buying),
  }
}
