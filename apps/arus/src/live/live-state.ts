import type { ShopEvent } from '../events/event.ts'
import type { SessionFigures } from './session-figures.ts'

/** One thing a shopper did with a product, with its place in the log. */
export interface HistoryItem {
  readonly product_id: string
  readonly action: string
  readonly ts: number
  readonly partition: number
  readonly offset: number
}

export interface TrendingProduct {
  readonly product_id: string
  /** How surprising the recent rate is against the product's own past; formula in `live/trending.ts`. */
  readonly trend_score: number
  readonly views_today: number
  /** Against the same part of the day before: 0.5 is half as many again; null when there were none. */
  readonly growth_rate: number | null
}

/** A category, with the trend of everything done with its products. */
export interface TrendingCategory extends Omit<TrendingProduct, 'product_id'> {
  readonly category: string
}

/** A product that goes with another: how often both were of interest in one stretch, decayed by half each week. */
export interface PairedProduct {
  readonly product_id: string
  readonly score: number
}

/** A session of a shopper, times by event time, UTC ms. */
export interface ShopperSession {
  readonly session: string
  readonly started_at: number
  readonly ended_at: number
  readonly events: number
  readonly purchases: number
  /** It may still go on: its last event is within the gap that ends a session. */
  readonly is_open: boolean
}

/** What is known of a shopper beside their history. */
export interface ShopperSummary {
  readonly events: number
  readonly first_seen: number
  readonly last_seen: number
  /** The newest first, at most 20. */
  readonly sessions: readonly ShopperSession[]
}

export interface FunnelCounts {
  readonly view: number
  readonly click: number
  readonly add_to_cart: number
  readonly purchase: number
}

/** Live figures of the shop, from events applied so far. Counts of "today" begin at UTC midnight. */
export interface LiveAnalytics {
  readonly total_users: number
  /** Sessions with an event within the gap that ends a session (30 minutes). */
  readonly active_sessions: number
  readonly active_users: number
  /** Distinct shoppers who reached each step today, by event time. */
  readonly funnel: FunnelCounts
  /** Sessions that began today and are over. */
  readonly closed_sessions: SessionFigures
  /** Events of today that came too late to join a session. */
  readonly late_events_today: number
  readonly events_today: number
  readonly events_total: number
  readonly revenue_today: number
  /** Events per action today. */
  readonly actions: Readonly<Record<string, number>>
  readonly events_per_second: number
  readonly recommendations_per_minute: number
  /** Events per minute of the last 60 minutes, oldest first. */
  readonly events_per_minute: readonly { readonly minute: number; readonly count: number }[]
  readonly recent_events: readonly ShopEvent[]
  /** Event time of the newest applied event, UTC ms; null when there is none. */
  readonly newest_event_at: number | null
  readonly generated_at: number
}

export interface ProductCounters {
  readonly views: number
  readonly clicks: number
  readonly carts: number
  readonly purchases: number
}

/** What the stream processors know now. Reads are of committed state. */
export interface LiveState {
  /** Product interactions of a shopper, newest first, bounded. Empty for the unknown. */
  history(shopper: string): Promise<readonly HistoryItem[]>
  /** Product interactions of a session, newest first, bounded. */
  session(sessionId: string): Promise<readonly HistoryItem[]>
  trending(limit: number): readonly TrendingProduct[]
  /** Categories by the same score, over all their products. */
  trendingCategories(limit: number): readonly TrendingCategory[]
  /** Products of interest in the same stretch as this one, the strongest first. Empty for the unknown. */
  goesWith(productId: string, limit: number): Promise<readonly PairedProduct[]>
  /** Null for the unknown. */
  shopper(shopper: string): Promise<ShopperSummary | null>
  productCounters(productId: string): Promise<ProductCounters>
  analytics(): LiveAnalytics
  /** Counts an answered recommendation request, for `recommendations_per_minute`. */
  countRecommendation(): void
  /** Offset each partition of the events topic has been applied up to (exclusive). */
  appliedOffsets(): ReadonlyMap<number, number>
  /** Resolves when the position has been applied, or false after the time-out. */
  waitFor(partition: number, offset: number, timeoutMs: number): Promise<boolean>
  /** Calls back after each commit that changed the shopper; returns the way to stop. */
  onShopperChange(shopper: string, listener: () => void): () => void
  /** Calls back after commits, at most every `minIntervalMs`. */
  onChange(listener: () => void, minIntervalMs: number): () => void
}
