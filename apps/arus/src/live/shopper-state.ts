import type { ShopEvent } from '../events/event.ts'
import type { HistoryItem } from './live-state.ts'
import { SESSION_GAP_MS } from './recent-activity.ts'

const HISTORY_MAX = 100
const SESSION_ITEMS_MAX = 50
const SESSIONS_KEPT = 20

/** A history item as stored: compact, since every shopper has a hundred. */
export type StoredItem = readonly [
  productId: string,
  action: string,
  ts: number,
  partition: number,
  offset: number,
]

/** What is known of a shopper, as stored. */
export interface ShopperState {
  /** Newest first by event time. */
  readonly items: readonly StoredItem[]
  /** Events so far, of whatever kind. */
  readonly events: number
  /** Session that events without a session_id belong to, and when the shopper was last seen. */
  readonly session: string
  readonly lastTs: number
  /** Sessions of the shopper and when each was last seen, the newest first, at most 20. */
  readonly sessions: readonly SeenSession[]
}

export type SeenSession = readonly [session: string, lastTs: number]

export interface LogPlace {
  readonly partition: number
  readonly offset: number
}

/**
 * The shopper after an event, and the session it belongs to: given, or cut by half an hour of silence. `seenAtMs` is the
 * event time, or the time of intake where the sender's clock is ahead.
 */
export function withShopperEvent(
  state: ShopperState | undefined,
  shopper: string,
  event: ShopEvent,
  { seenAtMs, ...place }: LogPlace & { readonly seenAtMs: number },
): { readonly state: ShopperState; readonly session: string } {
  const lastTs = state?.lastTs ?? Number.NEGATIVE_INFINITY
  const continues = state !== undefined && Math.abs(seenAtMs - lastTs) <= SESSION_GAP_MS
  const own = continues ? state.session : `${shopper}@${event.ts}`
  const session = event.session_id ?? own
  return {
    session,
    state: {
      items: withItem(state?.items ?? [], event, place, HISTORY_MAX),
      events: (state?.events ?? 0) + 1,
      // A late event of a session long over does not become the session that goes on.
      session: state !== undefined && seenAtMs < lastTs ? state.session : own,
      lastTs: Math.max(lastTs, seenAtMs),
      sessions: withSession(state?.sessions ?? [], session, seenAtMs),
    },
  }
}

function withSession(
  sessions: readonly SeenSession[],
  session: string,
  seenAtMs: number,
): readonly SeenSession[] {
  const [newest] = sessions
  if (newest !== undefined && newest[0] === session)
    return seenAtMs <= newest[1] ? sessions : [[session, seenAtMs], ...sessions.slice(1)]
  const known = sessions.find(([other]) => other === session)
  const seen: SeenSession = [session, Math.max(known?.[1] ?? seenAtMs, seenAtMs)]
  return [...sessions.filter((other) => other !== known), seen]
    .sort(([, a], [, b]) => b - a)
    .slice(0, SESSIONS_KEPT)
}

export function withSessionEvent(
  items: readonly StoredItem[] | undefined,
  event: ShopEvent,
  place: LogPlace,
): readonly StoredItem[] {
  return withItem(items ?? [], event, place, SESSION_ITEMS_MAX)
}

export function historyItem([product_id, action, ts, partition, offset]: StoredItem): HistoryItem {
  return { product_id, action, ts, partition, offset }
}

/** Puts a product event in its place by event time; the newest comes first, the oldest goes when there are too many. */
function withItem(
  items: readonly StoredItem[],
  event: ShopEvent,
  { partition, offset }: LogPlace,
  limit: number,
): readonly StoredItem[] {
  if (event.product_id === null) return items
  const item: StoredItem = [event.product_id, event.action, event.ts, partition, offset]
  const at = items.findIndex((other) => other[2] <= event.ts)
  const grown = at < 0 ? [...items, item] : [...items.slice(0, at), item, ...items.slice(at)]
  return grown.length > limit ? grown.slice(0, limit) : grown
}
