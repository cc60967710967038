import { ArusError } from '../errors.ts'
import { type ShopEvent, shopperOf } from '../events/event.ts'
import type { FunnelCounts } from './live-state.ts'
import { addSession, noSessions, type SessionSums } from './session-figures.ts'
import type { Session } from './sessions.ts'

export const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const MINUTES_KEPT = 120
/** Newest days kept: tomorrow of clocks that are ahead, today, yesterday, and one more. */
const DAYS_KEPT = 4
const RECENT_KEPT = 50
/** A sender's clock may be this far ahead and still have its place among the minutes. */
const MINUTES_AHEAD = 1
/** Actions counted by name; senders may make more up. */
const ACTIONS_MAX = 64
const OTHER_ACTIONS = 'other'
/** Money is counted in whole ten-thousandths, so that sums are the same in any order. */
const MONEY_SCALE = 10_000
/** An amount past this would take the day's sum out of whole numbers. */
const AMOUNT_MAX = 1e11

/** Figures of one UTC day, as stored. */
export interface DayFigures {
  readonly day: number
  events: number
  /** In ten-thousandths of the shop's currency. */
  revenue: number
  actions: Record<string, number>
  funnel: Record<keyof FunnelCounts, number>
  /** Sessions that began on this day. */
  sessions: SessionSums
  /** Events that came too late to join a session. */
  late: number
}

/** The part of the live figures that is stored: small, written with each commit. */
export interface StoredFigures {
  totalUsers: number
  totalEvents: number
  newestTs: number | null
  /** The newest four. */
  days: DayFigures[]
  minutes: [minute: number, count: number][]
  /** The newest intakes first. */
  recent: ShopEvent[]
}

export const FUNNEL_STEPS = ['view', 'click', 'add_to_cart', 'purchase'] as const

export function newFigures(): StoredFigures {
  return { totalUsers: 0, totalEvents: 0, newestTs: null, days: [], minutes: [], recent: [] }
}

/** The figures as they are now, whatever is counted afterwards. */
export function copyOf(figures: StoredFigures): StoredFigures {
  return {
    ...figures,
    days: structuredClone(figures.days),
    minutes: figures.minutes.map(([minute, count]) => [minute, count]),
    recent: [...figures.recent],
  }
}

export function dayOf(tsMs: number): number {
  return Math.floor(tsMs / DAY_MS)
}

/** Revenue in the shop's currency. */
export function revenueOf({ revenue }: DayFigures): number {
  return Math.round(revenue / (MONEY_SCALE / 100)) / 100
}

/**
 * Counts an event, placed by its event time. Days before the newest four are left alone, so that a backfill of months
 * does not distort today; days after the horizon some clock that was ahead has made, and go. Returns the day and
 * funnel step whose shoppers it may add to, or null. Throws `EVENT_UNUSABLE`, before anything is counted, for a purchase
 * that is worth more than can be added up.
 */
export function countEvent(
  figures: StoredFigures,
  event: ShopEvent,
  horizonMs: number,
): { day: DayFigures; step: keyof FunnelCounts } | null {
  const amount = event.action === 'purchase' ? amountOf(event) : 0
  figures.totalEvents += 1
  figures.newestTs = Math.max(beforeHorizon(figures.newestTs, horizonMs) ?? event.ts, event.ts)
  countMinute(figures, event, horizonMs)
  addRecentEvent(figures, event, horizonMs)
  const lastDay = dayOf(horizonMs) + 1
  if (figures.days.some(({ day }) => day > lastDay))
    figures.days = figures.days.filter(({ day }) => day <= lastDay)
  const day = dayFigures(figures, dayOf(event.ts))
  if (day === null) return null
  day.events += 1
  day.revenue += amount
  countAction(day, event.action)
  const step = FUNNEL_STEPS.find((known) => known === event.action)
  return step === undefined || shopperOf(event) === '' ? null : { day, step }
}

/** Takes sessions back from the days they began on, and adds others. */
export function countSessions(
  figures: StoredFigures,
  { removed, added }: { readonly removed: readonly Session[]; readonly added: readonly Session[] },
): void {
  for (const session of removed) countSession(figures, session, -1)
  for (const session of added) countSession(figures, session, 1)
}

/** An event that came too late to join a session. */
export function countLate(figures: StoredFigures, atMs: number): void {
  const day = dayFigures(figures, dayOf(atMs))
  if (day !== null) day.late += 1
}

function countSession(figures: StoredFigures, session: Session, sign: 1 | -1): void {
  const day = dayFigures(figures, dayOf(session[1]))
  if (day !== null) addSession(day.sessions, session, sign)
}

/** Senders may be a day ahead. */
function beforeHorizon(tsMs: number | null, horizonMs: number): number | null {
  return tsMs !== null && tsMs <= horizonMs + DAY_MS ? tsMs : null
}

function amountOf({ price, quantity }: ShopEvent): number {
  const amount = (price ?? 0) * (quantity ?? 1)
  if (Math.abs(amount) <= AMOUNT_MAX) return Math.round(amount * MONEY_SCALE)
  throw new ArusError(
    'EVENT_UNUSABLE',
    `a purchase is worth at most ${AMOUNT_MAX}, found ${price} × ${quantity ?? 1}`,
  )
}

/** By intake, then by id: the same whatever the order in which partitions are read. */
function addRecentEvent(figures: StoredFigures, event: ShopEvent, horizonMs: number): void {
  // The newest stand first, so that those past the horizon are among the first.
  if ((figures.recent[0]?.received_at ?? 0) > horizonMs)
    figures.recent = figures.recent.filter(({ received_at }) => received_at <= horizonMs)
  const { recent } = figures
  const at = recent.findIndex((other) => isNewer(event, other))
  recent.splice(at < 0 ? recent.length : at, 0, event)
  if (recent.length > RECENT_KEPT) recent.length = RECENT_KEPT
}

function isNewer(a: ShopEvent, b: ShopEvent): boolean {
  return a.received_at > b.received_at || (a.received_at === b.received_at && a.event_id > b.event_id)
}

function dayFigures(figures: StoredFigures, day: number): DayFigures | null {
  const known = figures.days.find((candidate) => candidate.day === day)
  if (known !== undefined) return known
  const fresh = newDay(day)
  figures.days = [fresh, ...figures.days].sort((a, b) => b.day - a.day).slice(0, DAYS_KEPT)
  return figures.days.includes(fresh) ? fresh : null
}

function newDay(day: number): DayFigures {
  return {
    day,
    events: 0,
    revenue: 0,
    actions: {},
    funnel: { view: 0, click: 0, add_to_cart: 0, purchase: 0 },
    sessions: noSessions(),
    late: 0,
  }
}

function countAction(day: DayFigures, action: string): void {
  const isNamed = Object.hasOwn(day.actions, action) || Object.keys(day.actions).length < ACTIONS_MAX
  const name = isNamed ? action : OTHER_ACTIONS
  day.actions[name] = (day.actions[name] ?? 0) + 1
}

/** The newest minutes; one far ahead of its intake has no place, nor has one that no clock shows any more. */
function countMinute(figures: StoredFigures, event: ShopEvent, horizonMs: number): void {
  const minute = Math.floor(event.ts / MINUTE_MS)
  if (minute > Math.floor(event.received_at / MINUTE_MS) + MINUTES_AHEAD) return
  const known = figures.minutes.findLast(([other]) => other === minute)
  if (known !== undefined) {
    known[1] += 1
    return
  }
  const [oldest] = figures.minutes
  if (figures.minutes.length === MINUTES_KEPT && minute < (oldest?.[0] ?? minute)) return
  const last = Math.floor(horizonMs / MINUTE_MS)
  figures.minutes = [...figures.minutes, [minute, 1] as [number, number]]
    .filter(([other]) => other <= last)
    .sort(([a], [b]) => a - b)
    .slice(-MINUTES_KEPT)
}
