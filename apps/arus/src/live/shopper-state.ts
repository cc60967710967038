import { ACTION_WEIGHTS, type ShopEvent } from '../events/event.ts'
import { placedAt } from './event-place.ts'
import { type ItemList, type LogPlace, NO_ITEMS, withItem } from './item-list.ts'
import { type PairIncrement, pairIncrements, type RecentProduct, withRecent } from './pairs.ts'
import { placeInSessions, type Session, type SessionChange, type SessionRules } from './sessions.ts'

/** Product interactions kept of a shopper. */
export const HISTORY_MAX = 100

/** What is known of a shopper, as stored. */
export interface ShopperState {
  readonly items: ItemList
  /** Events so far, of whatever kind. */
  readonly events: number
  readonly firstMs: number
  /** When the shopper was last seen, by event time. */
  readonly lastMs: number
  readonly sessions: readonly Session[]
  /** Products of late, to be counted as pairs with the next one. */
  readonly recent: readonly RecentProduct[]
}

export interface ShopperChange extends Omit<SessionChange, 'sessions'> {
  readonly state: ShopperState
  readonly pairs: readonly PairIncrement[]
}

/** The shopper after an event, with what it did to sessions and to pairs of products. */
export function withShopperEvent(
  state: ShopperState | undefined,
  event: ShopEvent,
  {
    shopper,
    place,
    rules,
  }: { readonly shopper: string; readonly place: LogPlace; readonly rules: SessionRules },
): ShopperChange {
  const atMs = placedAt(event)
  const { sessions, ...change } = placeInSessions(state?.sessions ?? [], event, { shopper, atMs, rules })
  const weight = ACTION_WEIGHTS[event.action] ?? 0
  const product: RecentProduct | null =
    event.product_id === null || weight === 0 ? null : [event.product_id, atMs, weight]
  const recent = state?.recent ?? []
  return {
    ...change,
    pairs: product === null ? [] : pairIncrements(recent, product, rules.gapMs),
    state: {
      items: withItem(state?.items ?? NO_ITEMS, event, { place, limit: HISTORY_MAX }),
      events: (state?.events ?? 0) + 1,
      firstMs: Math.min(state?.firstMs ?? atMs, atMs),
      lastMs: Math.max(Math.min(state?.lastMs ?? atMs, event.received_at), atMs),
      sessions,
      recent: product === null ? recent : withRecent(recent, product, rules.gapMs),
    },
  }
}
