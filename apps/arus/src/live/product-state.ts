import { ACTION_WEIGHTS, type ShopEvent } from '../events/event.ts'
import { placedAt } from './event-place.ts'
import type { ProductCounters } from './live-state.ts'
import { addToTrend, NO_TREND, type TrendState, trendScore, trendWithoutFuture } from './trending.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Hours of views kept: today and the whole day before. */
const HOURS_KEPT = 48

/** What is known of a product, or of all products of a category, as stored. */
export interface ProductState {
  readonly counters: ProductCounters
  readonly trend: TrendState
  /** Views by hour since the epoch, newest 48 hours. */
  readonly hours: readonly (readonly [hour: number, views: number])[]
}

export const NEW_PRODUCT: ProductState = {
  counters: { views: 0, clicks: 0, carts: 0, purchases: 0 },
  trend: NO_TREND,
  hours: [],
}

const COUNTER_OF: Readonly<Record<string, keyof ProductCounters>> = {
  view: 'views',
  click: 'clicks',
  recommendation_clicked: 'clicks',
  add_to_cart: 'carts',
  purchase: 'purchases',
}

/**
 * The product after an event. What lies after `horizonMs` some clock that was ahead has added: it is taken out, so that it
 * cannot push the present out of the windows.
 */
export function withEvent(state: ProductState, event: ShopEvent, horizonMs: number): ProductState {
  const counter = COUNTER_OF[event.action]
  const weight = ACTION_WEIGHTS[event.action] ?? 0
  const atMs = placedAt(event)
  const hours = event.action === 'view' ? withView(state.hours, Math.floor(atMs / HOUR_MS)) : state.hours
  return {
    counters:
      counter === undefined ? state.counters : { ...state.counters, [counter]: state.counters[counter] + 1 },
    trend: trendWithoutFuture(weight > 0 ? addToTrend(state.trend, atMs, weight) : state.trend, horizonMs),
    hours: withoutFutureHours(hours, Math.floor(horizonMs / HOUR_MS)),
  }
}

/** How surprising what was done lately is: `trendScore`. */
export function trendOf({ trend, counters }: ProductState, nowMs: number): number {
  const { views, clicks, carts, purchases } = counters
  const { view = 0, click = 0, add_to_cart = 0, purchase = 0 } = ACTION_WEIGHTS
  const weightSum = view * views + click * clicks + add_to_cart * carts + purchase * purchases
  return trendScore(trend, nowMs, weightSum)
}

/** Views since UTC midnight. */
export function viewsToday(state: ProductState, nowMs: number): number {
  const midnight = Math.floor(nowMs / DAY_MS) * 24
  return sum(state.hours.filter(([hour]) => hour >= midnight && hour < midnight + 24))
}

/** Views of today against the same hours of yesterday; null when there were none. The current hour counts in part. */
export function growthRate(state: ProductState, nowMs: number): number | null {
  const midnight = Math.floor(nowMs / DAY_MS) * 24
  const current = Math.floor(nowMs / HOUR_MS)
  const partOfHour = (nowMs % HOUR_MS) / HOUR_MS
  let before = 0
  for (const [hour, views] of state.hours) {
    if (hour >= midnight - 24 && hour < current - 24) before += views
    if (hour === current - 24) before += views * partOfHour
  }
  return before > 0 ? viewsToday(state, nowMs) / before - 1 : null
}

function withView(hours: ProductState['hours'], hour: number): ProductState['hours'] {
  const newest = Math.max(hour, hours.at(-1)?.[0] ?? hour)
  if (hour <= newest - HOURS_KEPT) return hours
  const last = hours.at(-1)
  if (last?.[0] === hour) return hours.with(-1, [hour, last[1] + 1])
  const known = hours.find(([other]) => other === hour)?.[1] ?? 0
  return [
    ...hours.filter(([other]) => other !== hour && other > newest - HOURS_KEPT),
    [hour, known + 1] as const,
  ].sort(([a], [b]) => a - b)
}

function withoutFutureHours(hours: ProductState['hours'], newest: number): ProductState['hours'] {
  return (hours.at(-1)?.[0] ?? newest) <= newest ? hours : hours.filter(([hour]) => hour <= newest)
}

function sum(hours: ProductState['hours']): number {
  return hours.reduce((total, [, views]) => total + views, 0)
}
