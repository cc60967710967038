/**
 * One thing a shopper did: the canonical event, as it stands in the log (JSON, snake_case) and in
 * `bronze.events`. Optional fields are null, never absent, so that every reader sees one shape.
 */
export interface ShopEvent {
  /** Idempotency key: the sender's, or a UUIDv7 given at ingest. */
  readonly event_id: string
  /** At least one of `user_id`, `session_id`, `anonymous_id` is set. */
  readonly user_id: string | null
  readonly session_id: string | null
  readonly anonymous_id: string | null
  readonly action: string
  readonly product_id: string | null
  /** Event time, UTC milliseconds. */
  readonly ts: number
  /** When Arus took it in, UTC milliseconds. */
  readonly received_at: number
  /** Price of one unit, in the shop's currency. */
  readonly price: number | null
  readonly quantity: number | null
  readonly order_id: string | null
  readonly recommendation_id: string | null
  /** Rank at which a recommended product was shown, from 1. */
  readonly position: number | null
  /** Text of a `search`. */
  readonly query: string | null
  /** Anything else the sender gave. */
  readonly properties: Readonly<Record<string, unknown>> | null
}

/** Who the event belongs to, and its partition key: the user, else the anonymous visitor, else the session. */
export function shopperOf(event: Pick<ShopEvent, 'user_id' | 'anonymous_id' | 'session_id'>): string {
  return event.user_id ?? event.anonymous_id ?? event.session_id ?? ''
}

/** How strongly an action says that the shopper wants the product; 0 for actions that say nothing of it. */
export const ACTION_WEIGHTS: Readonly<Record<string, number>> = {
  view: 1,
  click: 2,
  recommendation_clicked: 2,
  add_to_cart: 4,
  purchase: 6,
  remove_from_cart: 0,
}

/** Topics of the log, before the shop's prefix. */
export const TOPICS = {
  events: 'events',
  rejected: 'rejected-events',
  recommendations: 'recommendations',
} as const
