import { type ShopEvent, shopperOf } from '../events/event.ts'
import type { FunnelCounts } from './live-state.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const MINUTES_KEPT = 60
const RECENT_KEPT = 50
/** A sender's clock may be this far ahead and still have its place among the minutes. */
const MINUTES_AHEAD = 1
/** Actions counted by name; senders may make more up. */
const ACTIONS_MAX = 64
const OTHER_ACTIONS = 'other'

/** Figures of one UTC day, as stored. */
export interface DayFigures {
  readonly day: number
  events: number
  revenue: number
  actions: Record<string, number>
  funnel: Record<keyof FunnelCounts, number>
}

/** The part of the live figures that is stored: small, written with each commit. */
export interface StoredFigures {
  totalUsers: number
  totalEvents: number
  newestTs: number | null
  /** Newest first, at most two: today and yesterday. */
  days: DayFigures[]
  minutes: [minute: number, count: number][]
  recent: ShopEvent[]
}

export const FUNNEL_STEPS = ['view', 'click', 'add_to_cart', 'purchase'] as const

export function newFigures(): StoredFigures {
  return { totalUsers: 0, totalEvents: 0, newestTs: null, days: [], minutes: [], recent: [] }
}

export function dayOf(tsMs: number): number {
  return Math.floor(tsMs / DAY_MS)
}

/**
 * Counts an event, placed by its event time. Days before the newest two are left alone, so that a backfill of months
 * does not distort today. Returns the day and funnel step whose shoppers it may add to, or null.
 */
export function countEvent(
  figures: StoredFigures,
  event: ShopEvent,
): { day: DayFigures; step: keyof FunnelCounts } | null {
  figures.totalEvents += 1
  figures.newestTs = Math.max(figures.newestTs ?? event.ts, event.ts)
  countMinute(figures, event)
  figures.recent = [event, ...figures.recent.slice(0, RECENT_KEPT - 1)]
  const day = dayFigures(figures, dayOf(event.ts))
  if (day === null) return null
  day.events += 1
  countAction(day, event.action)
  if (event.action === 'purchase') day.revenue += (event.price ?? 0) * (event.quantity ?? 1)
  const step = FUNNEL_STEPS.find((known) => known === event.action)
  return step === undefined || shopperOf(event) === '' ? null : { day, step }
}

function dayFigures(figures: StoredFigures, day: number): DayFigures | null {
  const known = figures.days.find((candidate) => candidate.day === day)
  if (known !== undefined) return known
  const newest = figures.days[0]?.day ?? day
  if (day < newest - 1) return null
  const fresh = {
    day,
    events: 0,
    revenue: 0,
    actions: {},
    funnel: { view: 0, click: 0, add_to_cart: 0, purchase: 0 },
  }
  figures.days = [fresh, ...figures.days].sort((a, b) => b.day - a.day).slice(0, 2)
  return fresh
}

function countAction(day: DayFigures, action: string): void {
  const isNamed = Object.hasOwn(day.actions, action) || Object.keys(day.actions).length < ACTIONS_MAX
  const name = isNamed ? action : OTHER_ACTIONS
  day.actions[name] = (day.actions[name] ?? 0) + 1
}

/** Minutes end with the newest intake, so that one clock far ahead cannot push the present out. */
function countMinute(figures: StoredFigures, event: ShopEvent): void {
  const minute = Math.floor(event.ts / MINUTE_MS)
  const received = Math.floor(event.received_at / MINUTE_MS)
  const newest = Math.max(received, figures.minutes.at(-1)?.[0] ?? received)
  if (minute <= newest - MINUTES_KEPT || minute > received + MINUTES_AHEAD) return
  const known = figures.minutes.findLast(([other]) => other === minute)
  if (known !== undefined) known[1] += 1
  else
    figures.minutes = [...figures.minutes, [minute, 1] as [number, number]]
      .sort(([a], [b]) => a - b)
      .slice(-MINUTES_KEPT)
}
