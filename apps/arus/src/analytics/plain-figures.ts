/** The figures of `Analytics` once more, in plain loops over events in memory: what the SQL is held against in tests. */
import type { Funnel, Heatmap, Trends, UserBehavior } from '../api-schema/index.ts'
import type { Period } from './period.ts'

/** A row of `silver.events`, with the columns that figures rest on. */
export interface SilverEvent {
  readonly event_id: string
  readonly shopper: string
  readonly session: string
  readonly action: string
  readonly product_id: string | null
  readonly category: string | null
  readonly ts: number
  readonly price: number | null
  readonly quantity: number | null
  readonly order_id: string | null
  readonly recommendation_id: string | null
  readonly position: number | null
  readonly query: string | null
  readonly properties: Readonly<Record<string, unknown>> | null
  /** All are of one partition. */
  readonly log_offset: number
}

type Counts = Omit<Funnel['by_day'][number], 'date'>

const STEPS = ['view', 'click', 'add_to_cart', 'purchase'] as const
/** Zones differ from each other by whole ones, and test events stand on them. */
const QUARTER_MS = 900_000

export function within(events: readonly SilverEvent[], { fromMs, toMs }: Period): SilverEvent[] {
  return events.filter(({ ts }) => ts >= fromMs && ts < toMs)
}

export function plainBehavior(
  events: readonly SilverEvent[],
  titles: ReadonlyMap<string, string>,
): Omit<UserBehavior, 'as_of'> {
  const users = groups(events, (event) => event.shopper)
  const lengths: number[] = []
  let bounces = 0
  for (const own of groups(events, (event) => event.session).values()) {
    const times = own.map((event) => event.ts)
    lengths.push((Math.max(...times) - Math.min(...times)) / 60_000)
    if (own.length === 1) bounces += 1
  }
  lengths.sort((a, b) => a - b)
  const ordersOf = [...users.values()]
    .map((own) => own.filter((event) => event.action === 'purchase'))
    .filter((purchases) => purchases.length > 0)
    .map((purchases) => distinct(purchases.map((event) => event.order_id ?? `in ${event.session}`)))
  const orders = ordersOf.reduce((total, count) => total + count, 0)
  return {
    users: users.size,
    sessions: lengths.length,
    events: events.length,
    events_per_user: over(events.length, users.size),
    events_per_session: over(events.length, lengths.length),
    session_minutes_mean: over(
      lengths.reduce((total, length) => total + length, 0),
      lengths.length,
    ),
    session_minutes_median: lengths.length === 0 ? null : medianOf(lengths),
    bounce_rate: over(bounces, lengths.length),
    buyers: ordersOf.length,
    repeat_buyers: ordersOf.filter((count) => count >= 2).length,
    conversion: over(ordersOf.length, users.size),
    orders,
    revenue: revenueOf(events),
    average_order_value: over(revenueOf(events), orders),
    actions: [...groups(events, (event) => event.action)]
      .map(([action, own]) => ({ action, events: own.length, users: distinct(own.map((e) => e.shopper)) }))
      .sort((a, b) => b.events - a.events || (a.action < b.action ? -1 : 1)),
    top_products: [...groups(events, (event) => event.product_id)]
      .map(([product_id, own]) => ({
        product_id,
        title: titles.get(product_id) ?? null,
        views: count(own, 'view'),
        purchases: count(own, 'purchase'),
        revenue: revenueOf(own),
      }))
      .filter(({ views, purchases }) => views + purchases > 0)
      .sort(
        (a, b) => b.views - a.views || b.purchases - a.purchases || (a.product_id < b.product_id ? -1 : 1),
      )
      .slice(0, 10),
    top_categories: [...groups(events, (event) => event.category)]
      .map(([category, own]) => ({
        category,
        views: count(own, 'view'),
        purchases: count(own, 'purchase'),
        revenue: revenueOf(own),
      }))
      .filter(({ views, purchases }) => views + purchases > 0)
      .sort((a, b) => b.views - a.views || b.purchases - a.purchases || (a.category < b.category ? -1 : 1))
      .slice(0, 10),
    top_users: [...users]
      .map(([user_id, own]) => ({
        user_id,
        events: own.length,
        purchases: count(own, 'purchase'),
        revenue: revenueOf(own),
      }))
      .sort((a, b) => b.revenue - a.revenue || b.events - a.events || (a.user_id < b.user_id ? -1 : 1))
      .slice(0, 10),
  }
}

export function plainByDay(events: readonly SilverEvent[]): Funnel['by_day'] {
  return [...groups(events, ({ ts }) => new Date(ts).toISOString().slice(0, 10))]
    .map(([date, own]) => ({ date, ...shoppersPerStep(own) }))
    .sort((a, b) => (a.date < b.date ? -1 : 1))
}

export function plainByCategory(events: readonly SilverEvent[]): Funnel['by_category'] {
  return [...groups(events, ({ category }) => category)]
    .map(([category, own]) => ({ category, ...shoppersPerStep(own) }))
    .filter(({ view, click, add_to_cart, purchase }) => view + click + add_to_cart + purchase > 0)
    .sort((a, b) => b.view - a.view || b.purchase - a.purchase || (a.category < b.category ? -1 : 1))
    .slice(0, 20)
}

/** The steps of a period. */
export interface PlainSteps {
  readonly times: readonly number[]
  /** The number of the step that a moment is in. */
  readonly place: (ms: number) => number
}

/** The steps of a period, found by reading the zone's clock at every quarter of an hour. */
export function plainStepsOf(
  { fromMs, toMs }: Period,
  interval: 'hour' | 'day',
  timeZone: string,
): PlainSteps {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    dateStyle: 'short',
    ...(interval === 'hour' ? { timeStyle: 'short', hourCycle: 'h23' } : {}),
  })
  const clock = (ms: number) => format.format(ms).replace(/:\d\d$/, '')
  const times: number[] = []
  let startMs = fromMs
  while (clock(startMs - QUARTER_MS) === clock(fromMs) && startMs > fromMs - 26 * 3_600_000)
    startMs -= QUARTER_MS
  for (let ms = startMs; ms < toMs; ms += QUARTER_MS) {
    if (ms === startMs || clock(ms) !== clock(ms - QUARTER_MS)) times.push(ms)
    else if (interval === 'hour' && ms - (times.at(-1) ?? 0) === 3_600_000) times.push(ms)
  }
  return { times, place: (ms) => times.findLastIndex((at) => at <= ms) }
}

/** Counts by action; every action that occurs, and the four steps. */
export function plainTimeline(
  events: readonly SilverEvent[],
  { times, place }: PlainSteps,
): Map<string, number[]> {
  const actions = new Set([...STEPS, ...events.map(({ action }) => action)])
  return new Map(
    [...actions].map((action) => [
      action,
      times.map((_, i) => events.filter((e) => e.action === action && place(e.ts) === i).length),
    ]),
  )
}

export function plainHeatmap(events: readonly SilverEvent[], timeZone: string): Heatmap['cells'] {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    hourCycle: 'h23',
  })
  const cells = Array.from({ length: 168 }, (_, i) => ({
    weekday: Math.floor(i / 24) + 1,
    hour: i % 24,
    active_users: 0,
    events: 0,
  }))
  for (const own of groups(events, ({ ts }) => format.format(ts)).values()) {
    const parts = new Map(format.formatToParts(own[0]?.ts).map(({ type, value }) => [type, value]))
    const weekday = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(parts.get('weekday') ?? '')
    const cell = cells[weekday * 24 + Number(parts.get('hour'))]
    if (cell === undefined) continue
    cell.active_users += distinct(own.map(({ shopper }) => shopper))
    cell.events += own.length
  }
  return cells
}

export function plainTrends(
  events: readonly SilverEvent[],
  period: Period,
  { times, place }: PlainSteps,
): Trends['categories'] {
  const middleMs = Math.floor((period.fromMs + period.toMs) / 2)
  return [...groups(events, ({ category }) => category)]
    .map(([category, own]) => {
      const perStep = (action: string) =>
        times.map((_, i) => own.filter((e) => e.action === action && place(e.ts) === i).length)
      const views = own.filter(({ action }) => action === 'view')
      const before = views.filter(({ ts }) => ts < middleMs).length
      return {
        category,
        views: perStep('view'),
        purchases: perStep('purchase'),
        total_views: views.length,
        total_purchases: count(own, 'purchase'),
        revenue: revenueOf(own),
        growth: before === 0 ? null : (views.length - before) / before - 1,
      }
    })
    .filter(({ total_views, total_purchases }) => total_views + total_purchases > 0)
    .sort(
      (a, b) =>
        b.total_views - a.total_views ||
        b.total_purchases - a.total_purchases ||
        (a.category < b.category ? -1 : 1),
    )
    .slice(0, 10)
}

function shoppersPerStep(events: readonly SilverEvent[]): Counts {
  const [view = 0, click = 0, add_to_cart = 0, purchase = 0] = STEPS.map((step) =>
    distinct(events.filter(({ action }) => action === step).map(({ shopper }) => shopper)),
  )
  return { view, click, add_to_cart, purchase }
}

export function revenueOf(events: readonly SilverEvent[]): number {
  const cents = events
    .filter(({ action }) => action === 'purchase')
    .reduce((total, { price, quantity }) => total + Math.round((price ?? 0) * (quantity ?? 1) * 100), 0)
  return cents / 100
}

export function groups(
  events: readonly SilverEvent[],
  keyOf: (event: SilverEvent) => string | null,
): Map<string, SilverEvent[]> {
  const found = new Map<string, SilverEvent[]>()
  for (const event of events) {
    const key = keyOf(event)
    if (key === null) continue
    const own = found.get(key) ?? []
    own.push(event)
    found.set(key, own)
  }
  return found
}

export function count(events: readonly SilverEvent[], wanted: string): number {
  return events.filter(({ action }) => action === wanted).length
}

export function distinct(values: readonly string[]): number {
  return new Set(values).size
}

export function over(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

export function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? 0
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? 0) + upper) / 2 : upper
}
