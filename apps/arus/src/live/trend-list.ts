import type { TrendingProduct } from './live-state.ts'
import { growthRate, type ProductState, trendOf, viewsToday } from './product-state.ts'

const CANDIDATES_MAX = 2_000
const FRESH_MS = 1_000

/** The products that may trend: a bounded set of the best, re-scored by the clock when it is asked for. */
export class TrendList {
  readonly #candidates = new Map<string, ProductState>()
  #sorted: { readonly atMs: number; readonly products: readonly TrendingProduct[] } | null = null

  /** Takes a product's newest state in. When there are too many, the weaker half goes. */
  offer(productId: string, state: ProductState, nowMs: number): void {
    this.#candidates.set(productId, state)
    if (this.#candidates.size > CANDIDATES_MAX) this.#keepBest(nowMs)
  }

  forget(productId: string): void {
    this.#candidates.delete(productId)
  }

  /** Best first; at most a second old. */
  top(limit: number, nowMs: number): readonly TrendingProduct[] {
    if (this.#sorted === null || Math.abs(nowMs - this.#sorted.atMs) > FRESH_MS) {
      this.#sorted = { atMs: nowMs, products: this.#rank(nowMs) }
    }
    return this.#sorted.products.slice(0, limit)
  }

  #rank(nowMs: number): TrendingProduct[] {
    return [...this.#candidates]
      .map(([product_id, state]) => ({ product_id, state, trend_score: trendOf(state, nowMs) }))
      .filter(({ trend_score }) => trend_score > 0)
      .sort((a, b) => b.trend_score - a.trend_score || (a.product_id < b.product_id ? -1 : 1))
      .slice(0, 200)
      .map(({ product_id, state, trend_score }) => ({
        product_id,
        trend_score: Math.round(trend_score * 1_000) / 1_000,
        views_today: viewsToday(state, nowMs),
        growth_rate: growthRate(state, nowMs),
      }))
  }

  #keepBest(nowMs: number): void {
    const ranked = Array.from(
      this.#candidates,
      ([productId, state]) => [productId, trendOf(state, nowMs)] as const,
    ).sort(([, a], [, b]) => b - a)
    for (const [productId] of ranked.slice(CANDIDATES_MAX / 2)) this.#candidates.delete(productId)
  }
}
