import { ACTION_WEIGHTS } from '../../events/event.ts'
import type { HistoryItem } from '../../live/live-state.ts'
import type { HistoryProduct } from '../../training/serving-model.ts'

/** What a shopper did, as retrieval needs it. */
export interface ShopperPast {
  /** Distinct products that say something of the shopper's wishes, newest first. */
  readonly products: readonly HistoryProduct[]
  /** Products of the session under way one after the other, newest first; one that is done several things with in a row comes once. */
  readonly session: readonly HistoryProduct[]
  /** The same, each once. */
  readonly sessionProducts: ReadonlySet<string>
  readonly purchased: ReadonlySet<string>
  /** Every product of the past, purchased or not. */
  readonly seen: ReadonlySet<string>
  /** The events it was made from, those of the session first, each newest first. */
  readonly events: readonly HistoryItem[]
  /** How many of them are of the session. */
  readonly sessionEventCount: number
  /** The products are those of a cart. */
  readonly isCart: boolean
}

/** Distinct products of the past that a model is given. */
const PRODUCT_LIMIT = 50
/** An event's weight halves with each week between it and the newest one. */
const HALF_LIFE_MS = 7 * 24 * 3_600_000
/** And with every ten events that came after it, so that a burst of clicks moves the answer within the day. */
const HALF_LIFE_EVENTS = 10

const EMPTY: ReadonlySet<string> = new Set()

/** The past of somebody who did nothing. */
export const NO_PAST: ShopperPast = {
  products: [],
  session: [],
  sessionProducts: EMPTY,
  purchased: EMPTY,
  seen: EMPTY,
  events: [],
  sessionEventCount: 0,
  isCart: false,
}

/**
 * Weighs a shopper's events, newest first in both lists: weight = ACTION_WEIGHTS × 2^(−age / 7 days) ×
 * 2^(−position / 10), summed by product, age counted from the newest event. The session's events come before the
 * rest; an event in both counts once. A `remove_from_cart` takes back the `add_to_cart` before it.
 */
export function pastOf(history: readonly HistoryItem[], session: readonly HistoryItem[]): ShopperPast {
  if (history.length === 0 && session.length === 0) return NO_PAST
  const events = session.length === 0 ? history : merged(session, history)
  const weights = new Map<string, number>()
  const purchased = new Set<string>()
  const seen = new Set<string>()
  const removed = new Set<string>()
  const newestMs = newestOf(events)
  for (let position = 0; position < events.length; position++) {
    const { product_id, action, ts } = events[position]!
    seen.add(product_id)
    if (action === 'purchase') purchased.add(product_id)
    if (action === 'remove_from_cart') removed.add(product_id)
    if (action === 'add_to_cart' && removed.delete(product_id)) continue
    const weight = ACTION_WEIGHTS[action] ?? 0
    if (weight === 0) continue
    const known = weights.get(product_id)
    if (known === undefined && weights.size >= PRODUCT_LIMIT) continue
    const decay = 2 ** -((newestMs - ts) / HALF_LIFE_MS + position / HALF_LIFE_EVENTS)
    weights.set(product_id, (known ?? 0) + weight * decay)
  }
  return {
    products: Array.from(weights, ([product_id, weight]) => ({ product_id, weight })),
    session: visitsOf(session),
    sessionProducts: session.length === 0 ? EMPTY : new Set(session.map((item) => item.product_id)),
    purchased,
    seen,
    events,
    sessionEventCount: session.length,
    isCart: false,
  }
}

/** A cart as a past, the product added last first; all of it counts the same, and is as good as bought. */
export function pastOfCart(products: readonly string[]): ShopperPast {
  const distinct = new Set(products.toReversed())
  return {
    ...NO_PAST,
    products: Array.from(distinct, (product_id) => ({ product_id, weight: 1 })),
    purchased: distinct,
    seen: distinct,
    isCart: true,
  }
}

function visitsOf(session: readonly HistoryItem[]): HistoryProduct[] {
  const visits: HistoryProduct[] = []
  for (const { product_id, action } of session) {
    if ((ACTION_WEIGHTS[action] ?? 0) === 0 || visits.at(-1)?.product_id === product_id) continue
    visits.push({ product_id, weight: 1 })
  }
  return visits
}

function merged(session: readonly HistoryItem[], history: readonly HistoryItem[]): HistoryItem[] {
  const positions = new Set(session.map((item) => `${item.partition}:${item.offset}`))
  return [...session, ...history.filter((item) => !positions.has(`${item.partition}:${item.offset}`))]
}

function newestOf(events: readonly HistoryItem[]): number {
  let newestMs = Number.NEGATIVE_INFINITY
  for (const event of events) newestMs = Math.max(newestMs, event.ts)
  return newestMs
}
