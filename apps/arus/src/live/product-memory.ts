import { ACTION_WEIGHTS, type ShopEvent } from '../events/event.ts'
import type { StateChange, StateStore } from '../state/state-store.ts'
import { placedAt } from './event-place.ts'
import { expiryAt } from './live-rules.ts'
import type { PairedProduct, ProductCounters } from './live-state.ts'
import { addPair, copyOfPairs, type PairIncrement, type PairState, partnersOf } from './pairs.ts'
import { NEW_PRODUCT, type ProductState, withEvent } from './product-state.ts'
import { StateCache } from './state-cache.ts'
import { TrendList } from './trend-list.ts'

export interface ProductMemoryOptions {
  readonly state: StateStore
  /** Every key begins so. */
  readonly prefix: string
  readonly idleMs: number
  /** Category of a product; null when it has none, or is not in the catalogue. */
  readonly categoryOf: (productId: string) => string | null
}

interface Applied {
  readonly partition: number
  readonly nowMs: number
  readonly horizonMs: number
}

const CACHE_ENTRIES = 20_000
/** Of each partition; some 3 kB each. */
const PAIR_CACHE_ENTRIES = 2_000
const CATEGORY_LENGTH_MAX = 256

/** What was done with products and categories: counters, trends, pairs. */
export class ProductMemory {
  readonly #options: ProductMemoryOptions
  readonly #products: StateCache<ProductState>
  readonly #categories: StateCache<ProductState>
  /** By partition, each of which is applied in its order: so the same pairs are let go in a rebuild. */
  readonly #pairs = new Map<number, StateCache<PairState>>()
  #trends = new TrendList()
  #categoryTrends = new TrendList()

  constructor(options: ProductMemoryOptions) {
    const { prefix } = options
    this.#options = options
    this.#products = new StateCache(`${prefix}product/`, CACHE_ENTRIES)
    this.#categories = new StateCache(`${prefix}category/`, CACHE_ENTRIES)
  }

  get trends(): TrendList {
    return this.#trends
  }

  get categoryTrends(): TrendList {
    return this.#categoryTrends
  }

  async counters(productId: string): Promise<ProductCounters> {
    return ((await this.#products.read(this.#options.state, productId)) ?? NEW_PRODUCT).counters
  }

  /** What goes with a product, the strongest first. */
  async partners(
    productId: string,
    {
      partitions,
      nowMs,
      limit,
    }: { readonly partitions: Iterable<number>; readonly nowMs: number; readonly limit: number },
  ): Promise<PairedProduct[]> {
    const states = await Promise.all(
      Array.from(partitions, (partition) => this.#pairsOf(partition).read(this.#options.state, productId)),
    )
    return partnersOf(
      states.filter((state) => state !== undefined),
      nowMs,
      limit,
    )
  }

  /** Brings into memory what these products need; `partners` are those they may be counted with. */
  async load(productIds: readonly string[], partners: readonly string[], partition: number): Promise<void> {
    const { state } = this.#options
    await this.#products.load(state, productIds)
    await this.#categories.load(
      state,
      productIds.flatMap((id) => this.#categoryOf(id) ?? []),
    )
    await this.#pairsOf(partition).load(state, [...productIds, ...partners])
  }

  apply(
    productId: string,
    event: ShopEvent,
    { partition, nowMs, horizonMs }: Applied,
    pairs: readonly PairIncrement[],
  ): void {
    const product = withEvent(this.#products.get(productId) ?? NEW_PRODUCT, event, horizonMs)
    this.#products.set(productId, product)
    this.#trends.offer(productId, product, nowMs)
    const category = this.#categoryOf(productId)
    if (category !== null && (ACTION_WEIGHTS[event.action] ?? 0) > 0) {
      const counted = withEvent(this.#categories.get(category) ?? NEW_PRODUCT, event, horizonMs)
      this.#categories.set(category, counted)
      this.#categoryTrends.offer(category, counted, nowMs)
    }
    const pairsOfPartition = this.#pairsOf(partition)
    const atMs = placedAt(event)
    if (pairs.length === 0) return
    const own = pairsOfPartition.own(productId, copyOfPairs)
    for (const { partner, weight } of pairs) {
      addPair(own, { partner, weight, atMs })
      addPair(pairsOfPartition.own(partner, copyOfPairs), { partner: productId, weight, atMs })
    }
  }

  get changeCount(): number {
    return this.#caches.reduce((count, cache) => count + cache.changeCount, 0)
  }

  get #caches(): (StateCache<ProductState> | StateCache<PairState>)[] {
    return [this.#products, this.#categories, ...this.#pairs.values()]
  }

  drain(nowMs: number): StateChange[] {
    const expiresAtMs = expiryAt(nowMs, this.#options.idleMs)
    return this.#caches.flatMap((cache) => cache.drain(expiresAtMs))
  }

  /** Another process has stored these keys. */
  async follow(keys: readonly string[], nowMs: number): Promise<void> {
    for (const pairs of this.#pairs.values()) pairs.follow(keys)
    const { state } = this.#options
    await followTrends(this.#trends, this.#products, { state, keys, nowMs })
    await followTrends(this.#categoryTrends, this.#categories, { state, keys, nowMs })
  }

  /** Takes the stored state for the truth. */
  async restore(nowMs: number): Promise<void> {
    const { state, prefix } = this.#options
    for (const cache of this.#caches) cache.drop()
    this.#trends = await trendsBelow(state, `${prefix}product/`, nowMs)
    this.#categoryTrends = await trendsBelow(state, `${prefix}category/`, nowMs)
  }

  #pairsOf(partition: number): StateCache<PairState> {
    let pairs = this.#pairs.get(partition)
    if (pairs === undefined) {
      pairs = new StateCache(`${this.#options.prefix}pair/${partition}/`, PAIR_CACHE_ENTRIES)
      this.#pairs.set(partition, pairs)
    }
    return pairs
  }

  #categoryOf(productId: string): string | null {
    return this.#options.categoryOf(productId)?.slice(0, CATEGORY_LENGTH_MAX) ?? null
  }
}

async function followTrends(
  trends: TrendList,
  cache: StateCache<ProductState>,
  {
    state,
    keys,
    nowMs,
  }: { readonly state: StateStore; readonly keys: readonly string[]; readonly nowMs: number },
): Promise<void> {
  const ids = cache.follow(keys)
  const found = await cache.readMany(state, ids)
  for (const [i, id] of ids.entries()) {
    const product = found[i]
    if (product === undefined) trends.forget(id)
    else trends.offer(id, product, nowMs)
  }
}

async function trendsBelow(state: StateStore, prefix: string, nowMs: number): Promise<TrendList> {
  const trends = new TrendList()
  for await (const { key, value } of state.scan(prefix))
    trends.offer(key.slice(prefix.length), value as ProductState, nowMs)
  return trends
}
