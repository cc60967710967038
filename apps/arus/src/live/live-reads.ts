import { Listeners } from './listeners.ts'
import { liveFigures } from './live-figures.ts'
import type { LiveMemory } from './live-memory.ts'
import type {
  HistoryItem,
  LiveAnalytics,
  LiveState,
  PairedProduct,
  ProductCounters,
  ShopperSummary,
  TrendingCategory,
  TrendingProduct,
} from './live-state.ts'
import { RateCounter } from './recent-activity.ts'

/** What others ask of live state, over the memory that its processor keeps. */
export class LiveReads implements LiveState {
  protected readonly memory: LiveMemory
  protected readonly applied = new Map<number, number>()
  protected readonly listeners = new Listeners()
  protected readonly eventRate = new RateCounter(10)
  readonly #recommendationRate = new RateCounter(60)
  readonly #now: () => number

  constructor(memory: LiveMemory, now: () => number) {
    this.memory = memory
    this.#now = now
  }

  history(shopper: string): Promise<readonly HistoryItem[]> {
    return this.memory.history(shopper)
  }

  session(sessionId: string): Promise<readonly HistoryItem[]> {
    return this.memory.session(sessionId)
  }

  trending(limit: number): readonly TrendingProduct[] {
    return this.memory.products.trends.top(limit, this.#now())
  }

  trendingCategories(limit: number): readonly TrendingCategory[] {
    const trends = this.memory.products.categoryTrends.top(limit, this.#now())
    return trends.map(({ product_id, ...figures }) => ({ category: product_id, ...figures }))
  }

  goesWith(productId: string, limit: number): Promise<readonly PairedProduct[]> {
    const nowMs = this.#now()
    return this.memory.products.partners(productId, { partitions: this.applied.keys(), nowMs, limit })
  }

  shopper(shopper: string): Promise<ShopperSummary | null> {
    return this.memory.shopper(shopper)
  }

  productCounters(productId: string): Promise<ProductCounters> {
    return this.memory.products.counters(productId)
  }

  analytics(): LiveAnalytics {
    const nowMs = this.#now()
    return liveFigures(this.memory, {
      nowMs,
      eventsPerSecond: this.eventRate.total(nowMs) / 10,
      recommendationsPerMinute: this.#recommendationRate.total(nowMs),
    })
  }

  countRecommendation(): void {
    this.#recommendationRate.add(1, this.#now())
  }

  appliedOffsets(): ReadonlyMap<number, number> {
    return this.applied
  }

  waitFor(partition: number, offset: number, timeoutMs: number): Promise<boolean> {
    return this.listeners.until(() => (this.applied.get(partition) ?? 0) > offset, timeoutMs)
  }

  onShopperChange(shopper: string, listener: () => void): () => void {
    return this.listeners.onShopper(shopper, listener)
  }

  onChange(listener: () => void, minIntervalMs: number): () => void {
    return this.listeners.onAny(listener, minIntervalMs)
  }
}
