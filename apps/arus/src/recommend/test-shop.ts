/** A small shop for tests: real, in-memory implementations of the ports that recommending and the API stand on. */
import type { Catalogue, Category, Product, SearchOptions, SearchResult } from '../catalogue/catalogue.ts'
import type {
  HistoryItem,
  LiveAnalytics,
  LiveState,
  PairedProduct,
  ProductCounters,
  ShopperSummary,
  TrendingCategory,
  TrendingProduct,
} from '../live/live-state.ts'
import type {
  Candidate,
  HistoryProduct,
  ServingModel,
  SessionRetriever,
  SessionUse,
} from '../training/serving-model.ts'

export function productNamed(product_id: string, facts: Partial<Product> = {}): Product {
  return {
    product_id,
    title: `Title of ${product_id}`,
    image_url: `https://images.example/${product_id}.jpg`,
    product_url: null,
    stars: 4.5,
    reviews: 10,
    price: 20,
    list_price: null,
    discount: null,
    category_id: 1,
    category: 'Toys',
    is_best_seller: false,
    bought_in_last_month: 5,
    ...facts,
  }
}

/** Products are popular in the order given; similar are those of the same category. */
export class ShopCatalogue implements Catalogue {
  readonly version: string
  readonly #products: Map<string, Product>

  constructor(products: readonly Product[], version = 'v1') {
    this.version = version
    this.#products = new Map(products.map((product) => [product.product_id, product]))
  }

  get productCount(): number {
    return this.#products.size
  }

  get(productId: string): Product | undefined {
    return this.#products.get(productId)
  }

  categoryOf(productId: string): string | null {
    return this.#products.get(productId)?.category ?? null
  }

  getMany(productIds: readonly string[]): (Product | undefined)[] {
    return productIds.map((id) => this.#products.get(id))
  }

  categories(): readonly Category[] {
    const counts = new Map<number, Category>()
    for (const { category_id, category } of this.#products.values()) {
      if (category_id === null) continue
      const product_count = (counts.get(category_id)?.product_count ?? 0) + 1
      counts.set(category_id, { category_id, name: category ?? '', product_count })
    }
    return [...counts.values()]
  }

  search(query: string, { limit, offset = 0, ...filters }: SearchOptions): SearchResult {
    const found = [...this.#products.values()].filter(
      (product) =>
        product.title.toLowerCase().includes(query.toLowerCase()) &&
        (filters.category_id === undefined || product.category_id === filters.category_id) &&
        (product.price ?? 0) >= (filters.min_price ?? 0) &&
        (product.price ?? 0) <= (filters.max_price ?? Number.POSITIVE_INFINITY),
    )
    const products = found.slice(offset, offset + limit).map((product) => ({ product, score: 1 }))
    return { total: found.length, total_is_exact: true, products }
  }

  similar(productId: string, limit: number) {
    const category = this.#products.get(productId)?.category_id
    return [...this.#products.values()]
      .filter(
        (product) =>
          category !== undefined && product.category_id === category && product.product_id !== productId,
      )
      .slice(0, limit)
      .map(({ product_id }, position) => ({ product_id, score: 1 / (1 + position) }))
  }

  popular(limit: number, categoryId?: number) {
    return [...this.#products.values()]
      .filter((product) => categoryId === undefined || product.category_id === categoryId)
      .slice(0, limit)
      .map(({ product_id }, position) => ({ product_id, score: 1 / (1 + position) }))
  }

  async close(): Promise<void> {}
}

/** Keeps what `act` was told; listeners are called at once. */
export class ShopLive implements LiveState {
  trends: TrendingProduct[] = []
  pairs: Readonly<Record<string, readonly string[]>> = {}
  answered = 0
  readonly #items = new Map<string, HistoryItem[]>()
  readonly #log: HistoryItem[] = []
  readonly #shopperListeners = new Map<string, Set<() => void>>()
  readonly #listeners = new Set<() => void>()
  readonly #now: () => number
  #offset = 0

  constructor(now: () => number) {
    this.#now = now
  }

  act(shopper: string, product_id: string, action = 'view', sessionId?: string): HistoryItem {
    const item = { product_id, action, ts: this.#now(), partition: 0, offset: this.#offset++ }
    this.#log.push(item)
    for (const key of [`u:${shopper}`, ...(sessionId === undefined ? [] : [`s:${sessionId}`])]) {
      this.#items.set(key, [item, ...(this.#items.get(key) ?? [])])
    }
    for (const listener of this.#shopperListeners.get(shopper) ?? []) listener()
    for (const listener of this.#listeners) listener()
    return item
  }

  /** The events at these places of the log of what was acted. */
  async eventsAt(places: readonly (readonly [number, number])[]): Promise<(HistoryItem | null)[]> {
    return places.map(([, offset]) => this.#log[offset] ?? null)
  }

  listenerCount(shopper: string): number {
    return this.#shopperListeners.get(shopper)?.size ?? 0
  }

  async history(shopper: string): Promise<readonly HistoryItem[]> {
    return this.#items.get(`u:${shopper}`) ?? []
  }

  async session(sessionId: string): Promise<readonly HistoryItem[]> {
    return this.#items.get(`s:${sessionId}`) ?? []
  }

  trending(limit: number): readonly TrendingProduct[] {
    return this.trends.slice(0, limit)
  }

  trendingCategories(): readonly TrendingCategory[] {
    return []
  }

  async goesWith(productId: string, limit: number): Promise<readonly PairedProduct[]> {
    return (this.pairs[productId] ?? [])
      .slice(0, limit)
      .map((product_id, position) => ({ product_id, score: 1 / (1 + position) }))
  }

  async shopper(): Promise<ShopperSummary | null> {
    return null
  }

  async productCounters(): Promise<ProductCounters> {
    return { views: 0, clicks: 0, carts: 0, purchases: 0 }
  }

  analytics(): LiveAnalytics {
    return {
      total_users: this.#shopperCount(),
      active_sessions: 0,
      active_users: 0,
      closed_sessions: {
        sessions: 0,
        events_per_session: null,
        minutes_mean: null,
        bounce_rate: null,
        purchase_rate: null,
      },
      late_events_today: 0,
      funnel: { view: 10, click: 4, add_to_cart: 2, purchase: 0 },
      events_today: this.#offset,
      events_total: this.#offset,
      revenue_today: 0,
      actions: { view: this.#offset },
      events_per_second: 0,
      recommendations_per_minute: 0,
      events_per_minute: [],
      recent_events: [],
      newest_event_at: null,
      generated_at: this.#now(),
    }
  }

  countRecommendation(): void {
    this.answered += 1
  }

  appliedOffsets(): ReadonlyMap<number, number> {
    return new Map([[0, this.#offset]])
  }

  async waitFor(_partition: number, offset: number): Promise<boolean> {
    return offset < this.#offset
  }

  onShopperChange(shopper: string, listener: () => void): () => void {
    const listeners = this.#shopperListeners.get(shopper) ?? new Set()
    this.#shopperListeners.set(shopper, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #shopperCount(): number {
    return [...this.#items.keys()].filter((key) => key.startsWith('u:')).length
  }
}

/** Goes by what follows the newest product that has something follow it. */
function follower(
  retriever: string,
  follows: Readonly<Record<string, readonly string[]>>,
): SessionRetriever['recommend'] {
  return (session, k, leftOut = [], isKept = null) => {
    const newest = session.find(({ product_id }) => follows[product_id] !== undefined)
    if (newest === undefined) return []
    return (follows[newest.product_id] ?? [])
      .filter(
        (product_id) =>
          !leftOut.some((ids) => ids.has(product_id)) && (isKept === null || isKept(product_id)),
      )
      .slice(0, k)
      .map((product_id, place) => ({
        product_id,
        score: 1 / (1 + place),
        retriever,
        because_of: newest.product_id,
      }))
  }
}

/** Goes by a table of what goes with what; scores fall with the place in the row. */
export class ShopModel implements ServingModel {
  readonly kind = 'walk'
  readonly version: number
  readonly trained_at = Date.UTC(2026, 0, 1)
  readonly session: ServingModel['session']
  readonly cart: ServingModel['cart']
  readonly #pairs: Readonly<Record<string, readonly string[]>>

  /** `session`: what follows what in sessions, and how it is used; `cart`: what is bought with what, and its share. */
  constructor(
    pairs: Readonly<Record<string, readonly string[]>>,
    version = 3,
    session?: { readonly follows: Readonly<Record<string, readonly string[]>>; readonly use: SessionUse },
    cart?: { readonly follows: Readonly<Record<string, readonly string[]>>; readonly share: number },
  ) {
    this.#pairs = pairs
    this.version = version
    this.session = session
      ? { kind: 'vstan', use: session.use, recommend: follower('vstan', session.follows) }
      : null
    this.cart = cart
      ? {
          kind: 'bought-together',
          share: cart.share,
          recommend: follower('bought-together', cart.follows),
        }
      : null
  }

  recommend(
    history: readonly HistoryProduct[],
    k: number,
    leftOut: readonly ReadonlySet<string>[] = [],
    isKept: ((productId: string) => boolean) | null = null,
  ): Candidate[] {
    const scores = new Map<string, Candidate>()
    for (const { product_id: source, weight } of history) {
      for (const [position, product_id] of (this.#pairs[source] ?? []).entries()) {
        if (leftOut.some((products) => products.has(product_id)) || isKept?.(product_id) === false) continue
        const score = (scores.get(product_id)?.score ?? 0) + weight / (1 + position)
        scores.set(product_id, { product_id, score, retriever: 'walk', because_of: source })
      }
    }
    return [...scores.values()].sort((a, b) => b.score - a.score).slice(0, k)
  }

  knows(productId: string): boolean {
    return (this.#pairs[productId] ?? []).length > 0
  }

  similar(productId: string, k: number): Candidate[] {
    return this.recommend([{ product_id: productId, weight: 1 }], k)
  }

  popular(k: number): Candidate[] {
    return Object.keys(this.#pairs)
      .slice(0, k)
      .map((product_id) => ({ product_id, score: 1, retriever: 'popular', because_of: null }))
  }
}
