import type { LiveMemory } from './live-memory.ts'
import type { LiveAnalytics } from './live-state.ts'
import { addSession, noSessions, sessionFigures } from './session-figures.ts'
import type { Session } from './sessions.ts'
import { type DayFigures, dayOf, revenueOf, type StoredFigures } from './shop-figures.ts'

export interface RatesNow {
  readonly nowMs: number
  readonly eventsPerSecond: number
  readonly recommendationsPerMinute: number
}

/** The live figures of a moment. */
export function liveFigures({ figures, activity }: LiveMemory, rates: RatesNow): LiveAnalytics {
  const { nowMs } = rates
  const today = figures.days.find(({ day }) => day === dayOf(nowMs))
  const active = activity.active(nowMs)
  return {
    total_users: figures.totalUsers,
    active_sessions: active.sessions,
    active_users: active.users,
    closed_sessions: sessionFigures(closedOf(today, activity.open(nowMs))),
    late_events_today: today?.late ?? 0,
    funnel: { ...(today?.funnel ?? { view: 0, click: 0, add_to_cart: 0, purchase: 0 }) },
    events_today: today?.events ?? 0,
    events_total: figures.totalEvents,
    revenue_today: today === undefined ? 0 : revenueOf(today),
    actions: { ...today?.actions },
    events_per_second: rates.eventsPerSecond,
    recommendations_per_minute: rates.recommendationsPerMinute,
    events_per_minute: minutesUntil(figures.minutes, Math.floor(nowMs / 60_000)),
    recent_events: [...figures.recent],
    newest_event_at: figures.newestTs,
    generated_at: nowMs,
  }
}

/** All sessions that began on the day, without those that go on. */
function closedOf(today: DayFigures | undefined, open: readonly Session[]) {
  const sums = { ...(today?.sessions ?? noSessions()) }
  for (const session of open) if (dayOf(session[1]) === today?.day) addSession(sums, session, -1)
  return sums
}

/** The last hour, minutes without an event included. */
function minutesUntil(minutes: StoredFigures['minutes'], last: number): { minute: number; count: number }[] {
  const counts = new Map(minutes)
  return Array.from({ length: 60 }, (_, i) => {
    const minute = last - 59 + i
    return { minute: minute * 60_000, count: counts.get(minute) ?? 0 }
  })
}
