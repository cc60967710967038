import { type ShopEvent, shopperOf } from '../events/event.ts'
import type { StateChange, StateStore } from '../state/state-store.ts'
import { type ItemList, itemsOf, type LogPlace, NO_ITEMS, withItem } from './item-list.ts'
import type { HistoryItem, ProductCounters } from './live-state.ts'
import { NEW_PRODUCT, type ProductState, withEvent } from './product-state.ts'
import { RecentActivity, SESSION_GAP_MS } from './recent-activity.ts'
import { countEvent, dayOf, FUNNEL_STEPS, newFigures, type StoredFigures } from './shop-figures.ts'
import { HISTORY_MAX, type ShopperState, withShopperEvent } from './shopper-state.ts'
import { StateCache } from './state-cache.ts'
import { TrendList } from './trend-list.ts'

export interface LiveMemoryOptions {
  readonly state: StateStore
  readonly now: () => number
  readonly idempotencyWindowMs: number
}

/** Every key of live state begins so. */
export const LIVE_PREFIX = 'live/'

const PREFIX = {
  shopper: `${LIVE_PREFIX}shopper/`,
  session: `${LIVE_PREFIX}session/`,
  product: `${LIVE_PREFIX}product/`,
  seen: `${LIVE_PREFIX}seen/`,
  step: `${LIVE_PREFIX}step/`,
}
const FIGURES_KEY = `${LIVE_PREFIX}figures`
const CACHE_ENTRIES = 50_000
const SESSION_ITEMS_MAX = 50
const SESSION_TTL_MS = 7 * 86_400_000
const STEP_TTL_MS = 3 * 86_400_000

/**
 * What events have done, in memory in front of the store. `load`, then `apply`, then `drain` and commit; after a commit
 * that failed, `restore`.
 */
export class LiveMemory {
  readonly #options: LiveMemoryOptions
  readonly #shoppers = new StateCache<ShopperState>(PREFIX.shopper, CACHE_ENTRIES)
  readonly #sessions = new StateCache<ItemList>(PREFIX.session, CACHE_ENTRIES)
  readonly #products = new StateCache<ProductState>(PREFIX.product, CACHE_ENTRIES)
  readonly #seen = new StateCache<number>(PREFIX.seen, CACHE_ENTRIES)
  readonly #steps = new StateCache<number>(PREFIX.step, CACHE_ENTRIES)
  #activity = new RecentActivity()
  #trends = new TrendList()
  #figures: StoredFigures = newFigures()

  constructor(options: LiveMemoryOptions) {
    this.#options = options
  }

  get figures(): Readonly<StoredFigures> {
    return this.#figures
  }

  get activity(): RecentActivity {
    return this.#activity
  }

  get trends(): TrendList {
    return this.#trends
  }

  async history(shopper: string): Promise<HistoryItem[]> {
    const known = await this.#shoppers.read(this.#options.state, shopper)
    return itemsOf(known?.items ?? NO_ITEMS, HISTORY_MAX)
  }

  async session(sessionId: string): Promise<HistoryItem[]> {
    const known = await this.#sessions.read(this.#options.state, sessionId)
    return itemsOf(known ?? NO_ITEMS, SESSION_ITEMS_MAX)
  }

  async counters(productId: string): Promise<ProductCounters> {
    return ((await this.#products.read(this.#options.state, productId)) ?? NEW_PRODUCT).counters
  }

  async isKnown(eventIds: readonly string[]): Promise<boolean[]> {
    const { state, now, idempotencyWindowMs } = this.#options
    const seen = await this.#seen.readMany(state, eventIds)
    const nowMs = now()
    return seen.map((atMs) => atMs !== undefined && nowMs - atMs < idempotencyWindowMs)
  }

  /** Those events that were not seen before, marked as seen, and ready to be applied. */
  async load<T extends { readonly event: ShopEvent }>(received: readonly T[]): Promise<T[]> {
    const { state } = this.#options
    await this.#seen.load(
      state,
      received.map(({ event }) => event.event_id),
    )
    const fresh = received.filter(({ event }) => this.#isFirst(event))
    const events = fresh.map(({ event }) => event)
    await this.#shoppers.load(state, events.map(shopperOf))
    await this.#sessions.load(
      state,
      events.flatMap((event) => event.session_id ?? []),
    )
    await this.#products.load(
      state,
      events.flatMap((event) => event.product_id ?? []),
    )
    await this.#steps.load(
      state,
      events.map((event) => stepId(dayOf(event.ts), event.action, shopperOf(event))),
    )
    return fresh
  }

  /** Takes a loaded event in. */
  apply(event: ShopEvent, place: LogPlace): void {
    const nowMs = this.#options.now()
    const shopper = shopperOf(event)
    const known = this.#shoppers.get(shopper)
    if (known === undefined) this.#figures.totalUsers += 1
    const seenAtMs = Math.min(event.ts, event.received_at)
    const { state, session } = withShopperEvent(known, shopper, event, { ...place, seenAtMs })
    this.#shoppers.set(shopper, state)
    if (event.session_id !== null) {
      const items = this.#sessions.get(session) ?? NO_ITEMS
      this.#sessions.set(session, withItem(items, event, { place, limit: SESSION_ITEMS_MAX }))
    }
    if (nowMs - seenAtMs <= SESSION_GAP_MS) this.#activity.touch(session, shopper, seenAtMs)
    if (event.product_id !== null) {
      const product = withEvent(this.#products.get(event.product_id) ?? NEW_PRODUCT, event)
      this.#products.set(event.product_id, product)
      this.#trends.offer(event.product_id, product, nowMs)
    }
    this.#count(event, shopper)
  }

  /** Removes a shopper; gives the number of history items, or null for one who is not known. */
  async forget(shopper: string): Promise<number | null> {
    const { state } = this.#options
    await this.#shoppers.load(state, [shopper])
    const known = this.#shoppers.get(shopper)
    if (known === undefined) return null
    this.#shoppers.set(shopper, undefined)
    const sessions = known.sessions.map(([session]) => session)
    for (const session of sessions) this.#sessions.set(session, undefined)
    this.#activity.forget(shopper, sessions)
    await this.#uncount(shopper, known)
    return itemsOf(known.items, HISTORY_MAX).length
  }

  /** Everything that changed since the last call. */
  drain(): StateChange[] {
    const { now, idempotencyWindowMs } = this.#options
    const nowMs = now()
    const expiring = (changes: readonly StateChange[], ttlMs: number) =>
      changes.map((change) => ({ ...change, expiresAtMs: nowMs + ttlMs }))
    return [
      ...this.#shoppers.drain(),
      ...expiring(this.#sessions.drain(), SESSION_TTL_MS),
      ...this.#products.drain(),
      ...expiring(this.#seen.drain(), idempotencyWindowMs),
      ...expiring(this.#steps.drain(), STEP_TTL_MS),
      { key: FIGURES_KEY, value: this.#figures },
    ]
  }

  /** Takes the stored state for the truth. Reads every product and shopper: some microseconds for each. */
  async restore(): Promise<void> {
    const { state, now } = this.#options
    for (const cache of [this.#shoppers, this.#sessions, this.#products, this.#seen, this.#steps])
      cache.drop()
    this.#figures = ((await state.get(FIGURES_KEY)) as StoredFigures | undefined) ?? newFigures()
    const nowMs = now()
    this.#trends = new TrendList()
    for await (const { key, value } of state.scan(PREFIX.product))
      this.#trends.offer(key.slice(PREFIX.product.length), value as ProductState, nowMs)
    this.#activity = new RecentActivity()
    for await (const { key, value } of state.scan(PREFIX.shopper)) {
      for (const [session, lastTs] of (value as ShopperState).sessions) {
        if (nowMs - lastTs <= SESSION_GAP_MS)
          this.#activity.touch(session, key.slice(PREFIX.shopper.length), lastTs)
      }
    }
  }

  /** Marks the id as seen; false when it was before, within the window. By intake, so that a rebuild decides the same. */
  #isFirst(event: ShopEvent): boolean {
    const seenAtMs = this.#seen.get(event.event_id)
    if (seenAtMs !== undefined && event.received_at - seenAtMs < this.#options.idempotencyWindowMs)
      return false
    this.#seen.set(event.event_id, event.received_at)
    return true
  }

  #count(event: ShopEvent, shopper: string): void {
    const counted = countEvent(this.#figures, event)
    if (counted === null) return
    const step = stepId(counted.day.day, counted.step, shopper)
    if (this.#steps.get(step) !== undefined) return
    this.#steps.set(step, 1)
    counted.day.funnel[counted.step] += 1
  }

  async #uncount(shopper: string, known: ShopperState): Promise<void> {
    const figures = this.#figures
    figures.totalUsers -= 1
    figures.totalEvents -= known.events
    figures.recent = figures.recent.filter((event) => shopperOf(event) !== shopper)
    const steps = figures.days.flatMap((day) =>
      FUNNEL_STEPS.map((step) => ({ day, step, id: stepId(day.day, step, shopper) })),
    )
    await this.#steps.load(
      this.#options.state,
      steps.map(({ id }) => id),
    )
    for (const { day, step, id } of steps) {
      if (this.#steps.get(id) === undefined) continue
      this.#steps.set(id, undefined)
      day.funnel[step] -= 1
    }
  }
}

/** A shopper reached a step of the funnel on a day. */
function stepId(day: number, step: string, shopper: string): string {
  return `${day}/${step}/${shopper}`
}
