import type { ShopEvent } from '../events/event.ts'
import { type ItemList, type LogPlace, NO_ITEMS, withItem } from './item-list.ts'
import { SESSION_GAP_MS } from './recent-activity.ts'

/** Product interactions kept of a shopper. */
export const HISTORY_MAX = 100
const SESSIONS_KEPT = 20

/** What is known of a shopper, as stored. */
export interface ShopperState {
  readonly items: ItemList
  /** Events so far, of whatever kind. */
  readonly events: number
  /** Session that events without a session_id belong to, and when the shopper was last seen. */
  readonly session: string
  readonly lastTs: number
  /** Sessions of the shopper and when each was last seen, the newest first, at most 20. */
  readonly sessions: readonly SeenSession[]
}

export type SeenSession = readonly [session: string, lastTs: number]

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
      items: withItem(state?.items ?? NO_ITEMS, event, { place, limit: HISTORY_MAX }),
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
