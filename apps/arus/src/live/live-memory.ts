import { BoundedCache } from '../bounded-cache.ts'
import { type ShopEvent, shopperOf } from '../events/event.ts'
import { cautiousClock } from '../state/cautious-clock.ts'
import type { StateChange, StateStore } from '../state/state-store.ts'
import { placedAt } from './event-place.ts'
import { FunnelSteps, isStepOf } from './funnel-steps.ts'
import { type ItemList, isSameList, itemsOf, type LogPlace, NO_ITEMS, withItem } from './item-list.ts'
import { expiryAt, type LiveRules } from './live-rules.ts'
import type { HistoryItem, ShopperSummary } from './live-state.ts'
import { ProductMemory } from './product-memory.ts'
import { RecentActivity } from './recent-activity.ts'
import type { Session } from './sessions.ts'
import {
  copyOf,
  countEvent,
  countLate,
  countSessions,
  dayOf,
  newFigures,
  type StoredFigures,
} from './shop-figures.ts'
import { HISTORY_MAX, type ShopperChange, type ShopperState, withShopperEvent } from './shopper-state.ts'
import { StateCache } from './state-cache.ts'

export interface LiveMemoryOptions {
  readonly state: StateStore
  readonly now: () => number
  readonly steadyMs?: () => number
  readonly idempotencyWindowMs: number
  readonly rules: LiveRules
  readonly categoryOf: (productId: string) => string | null
}

/** What a shopper left beside what is kept under their own name. */
export interface ShopperTraces {
  /** Other names of theirs: anonymous visitors, sessions that no visitor was named in. */
  readonly names?: readonly string[]
  readonly sessions?: readonly string[]
  readonly eventIds?: readonly string[]
}

/** Every key of live state begins so. */
export const LIVE_PREFIX = 'live/'

const PREFIX = {
  shopper: `${LIVE_PREFIX}shopper/`,
  session: `${LIVE_PREFIX}session/`,
  seen: `${LIVE_PREFIX}seen/`,
}
/** True for the keys under which something of these is stored. */
export function keysOf(shoppers: readonly string[], traces: ShopperTraces): (key: string) => boolean {
  const whole = new Set([
    ...shoppers.map((shopper) => PREFIX.shopper + shopper),
    ...(traces.sessions ?? []).map((session) => PREFIX.session + session),
    ...(traces.eventIds ?? []).map((id) => PREFIX.seen + id),
  ])
  const known = new Set(shoppers)
  return (key) => whole.has(key) || isStepOf(LIVE_PREFIX, key, known)
}

/** The clock of the last commit. It is not part of the state, which says the same after a rebuild. */
const CLOCK_KEY = 'live-clock'
const FIGURES_KEY = `${LIVE_PREFIX}figures`
/** Some 6 kB each, for a shopper with a full history. */
const SHOPPER_CACHE_ENTRIES = 20_000
const SEEN_CACHE_ENTRIES = 50_000
/** Parsed, of shoppers asked for; some 12 kB each. */
const HISTORY_CACHE_ENTRIES = 2_000
const SESSION_ITEMS_MAX = 50
const SESSION_KEPT_MS = 7 * 86_400_000
/** What stands further ahead of the clock than this was put there by a clock that was wrong. */
const HORIZON_MS = 3_600_000

/**
 * What events have done, in memory in front of the store. `load`, then `apply`, then `drain` and commit; after a commit
 * that failed, `restore`.
 */
export class LiveMemory {
  readonly #options: LiveMemoryOptions
  readonly #shoppers = new StateCache<ShopperState>(PREFIX.shopper, SHOPPER_CACHE_ENTRIES)
  readonly #sessions = new StateCache<ItemList>(PREFIX.session, SHOPPER_CACHE_ENTRIES)
  readonly #histories: ParsedLists = new BoundedCache(HISTORY_CACHE_ENTRIES)
  readonly #sessionItems: ParsedLists = new BoundedCache(HISTORY_CACHE_ENTRIES)
  readonly #seen = new StateCache<number>(PREFIX.seen, SEEN_CACHE_ENTRIES)
  readonly #steps = new FunnelSteps(LIVE_PREFIX)
  readonly products: ProductMemory
  /** What is written goes by this clock one day, so that a clock set wrong for a while shortens no life. */
  #expiryNow: (() => number) | null = null
  #activity: RecentActivity
  #figures: StoredFigures = newFigures()

  constructor(options: LiveMemoryOptions) {
    const { state, rules, categoryOf } = options
    this.#options = options
    this.#activity = new RecentActivity(rules.sessions.gapMs)
    this.products = new ProductMemory({ state, prefix: LIVE_PREFIX, idleMs: rules.idleMs, categoryOf })
  }

  get figures(): Readonly<StoredFigures> {
    return this.#figures
  }

  get activity(): RecentActivity {
    return this.#activity
  }

  /** The same array as long as nothing was added to it. */
  async history(shopper: string): Promise<readonly HistoryItem[]> {
    const list = (await this.#shoppers.read(this.#options.state, shopper))?.items
    return list === undefined ? [] : parsedOnce(this.#histories, shopper, list, HISTORY_MAX)
  }

  /** The same array as long as nothing was added to it. */
  async session(sessionId: string): Promise<readonly HistoryItem[]> {
    const list = await this.#sessions.read(this.#options.state, sessionId)
    return list === undefined ? [] : parsedOnce(this.#sessionItems, sessionId, list, SESSION_ITEMS_MAX)
  }

  async shopper(shopper: string): Promise<ShopperSummary | null> {
    const known = await this.#shoppers.read(this.#options.state, shopper)
    if (known === undefined) return null
    const openSinceMs = this.#options.now() - this.#options.rules.sessions.gapMs
    return {
      events: known.events,
      first_seen: known.firstMs,
      last_seen: known.lastMs,
      sessions: known.sessions.map(([session, started_at, ended_at, events, purchases]) => ({
        session,
        started_at,
        ended_at,
        events,
        purchases,
        is_open: ended_at >= openSinceMs,
      })),
    }
  }

  async isKnown(eventIds: readonly string[]): Promise<boolean[]> {
    const { state, now, idempotencyWindowMs } = this.#options
    const seen = await this.#seen.readMany(state, eventIds)
    const nowMs = now()
    return seen.map((atMs) => atMs !== undefined && nowMs - atMs < idempotencyWindowMs)
  }

  /** Those events of a partition that were not seen before, marked as seen, and ready to be applied. */
  async load<T extends { readonly event: ShopEvent }>(
    received: readonly T[],
    partition: number,
  ): Promise<T[]> {
    const { state } = this.#options
    await this.#seen.load(
      state,
      received.map(({ event }) => event.event_id),
    )
    const fresh = received.filter(({ event }) => this.#isFirst(event))
    const events = fresh.map(({ event }) => event)
    const shoppers = [...new Set(events.map(shopperOf))]
    await this.#shoppers.load(state, shoppers)
    await this.#sessions.load(
      state,
      events.flatMap((event) => event.session_id ?? []),
    )
    const partners = shoppers.flatMap((id) =>
      (this.#shoppers.get(id)?.recent ?? []).map(([product]) => product),
    )
    await this.products.load(
      events.flatMap((event) => event.product_id ?? []),
      partners,
      partition,
    )
    await this.#steps.load(
      state,
      events.map((event) => [dayOf(event.ts), event.action, shopperOf(event)] as const),
    )
    return fresh
  }

  /** Takes a loaded event in. */
  apply(event: ShopEvent, place: LogPlace): void {
    const { now, rules } = this.#options
    const nowMs = now()
    const shopper = shopperOf(event)
    const known = this.#shoppers.get(shopper)
    const change = withShopperEvent(known, event, { shopper, place, rules: rules.sessions })
    this.#shoppers.set(shopper, change.state)
    if (known === undefined) this.#figures.totalUsers += 1
    this.#keepSession(event, place)
    this.#follow(change, shopper, nowMs)
    const horizonMs = nowMs + HORIZON_MS
    if (event.product_id !== null) {
      const { partition } = place
      this.products.apply(event.product_id, event, { partition, nowMs, horizonMs }, change.pairs)
    }
    const counted = countEvent(this.#figures, event, horizonMs)
    if (counted !== null) this.#steps.count(counted.day, counted.step, shopper)
    countSessions(this.#figures, change)
    if (change.session === null) countLate(this.#figures, placedAt(event))
  }

  /** Removes a shopper; gives the number of history items, or null for one who is not known. */
  async forget(shopper: string): Promise<number | null> {
    const { state } = this.#options
    await this.#shoppers.load(state, [shopper])
    const known = this.#shoppers.get(shopper)
    if (known === undefined) return null
    this.#shoppers.set(shopper, undefined)
    this.#histories.delete(shopper)
    this.forgetTraces({ sessions: known.sessions.map(([session]) => session) })
    this.#activity.forget(known.sessions, shopper)
    const figures = this.#figures
    figures.totalUsers -= 1
    figures.totalEvents -= known.events
    figures.recent = figures.recent.filter((event) => shopperOf(event) !== shopper)
    countSessions(figures, { removed: known.sessions, added: [] })
    await this.#steps.forget(state, figures.days, shopper)
    return itemsOf(known.items, HISTORY_MAX).length
  }

  /** Sessions, and ids of events, that are to be as if they never came. */
  forgetTraces({ sessions = [], eventIds = [] }: ShopperTraces): void {
    for (const session of sessions) {
      this.#sessions.set(session, undefined)
      this.#sessionItems.delete(session)
    }
    for (const id of eventIds) this.#seen.set(id, undefined)
  }

  /** Values that `drain` would hand over, but for figures. */
  get changeCount(): number {
    const caches = [this.#shoppers, this.#sessions, this.#seen, this.products, this.#steps]
    return caches.reduce((count, { changeCount }) => count + changeCount, 0)
  }

  /** Everything that changed since the last call, as it is now: events may be applied before it is stored. */
  drain(): StateChange[] {
    const { idempotencyWindowMs, rules } = this.#options
    const nowMs = this.#expiryNow?.() ?? this.#options.now()
    return [
      ...this.#shoppers.drain(expiryAt(nowMs, rules.idleMs)),
      ...this.#sessions.drain(expiryAt(nowMs, SESSION_KEPT_MS)),
      ...this.#seen.drain(nowMs + idempotencyWindowMs).map((change) => ({ ...change, isExpiryNew: true })),
      ...this.products.drain(nowMs),
      ...this.#steps.drain(nowMs),
      { key: FIGURES_KEY, value: copyOf(this.#figures) },
      { key: CLOCK_KEY, value: nowMs },
    ]
  }

  /** Takes the stored state for the truth. Reads every product and shopper: some microseconds for each. */
  async restore(): Promise<void> {
    const { state, now, steadyMs, rules } = this.#options
    const lastMs = ((await state.get(CLOCK_KEY)) as number | undefined) ?? now()
    this.#expiryNow ??= cautiousClock({ now, steadyMs, lastMs })
    for (const cache of [this.#shoppers, this.#sessions, this.#seen, this.#steps]) cache.drop()
    this.#figures = ((await state.get(FIGURES_KEY)) as StoredFigures | undefined) ?? newFigures()
    const nowMs = now()
    await this.products.restore(nowMs)
    this.#activity = new RecentActivity(rules.sessions.gapMs)
    for await (const { key, value } of state.scan(PREFIX.shopper)) {
      const shopper = key.slice(PREFIX.shopper.length)
      for (const session of (value as ShopperState).sessions) this.#touch(session, shopper, nowMs)
    }
  }

  /** Another process has stored these keys: memory follows. Gives the shoppers among them. */
  async follow(keys: readonly string[]): Promise<string[]> {
    const { state, now } = this.#options
    const nowMs = now()
    this.#seen.follow(keys)
    for (const session of this.#sessions.follow(keys)) this.#sessionItems.delete(session)
    const shoppers = this.#shoppers.follow(keys)
    const found = await this.#shoppers.readMany(state, shoppers)
    for (const [i, shopper] of shoppers.entries()) {
      this.#activity.forgetAllOf(shopper)
      if (found[i] === undefined) this.#histories.delete(shopper)
      for (const session of found[i]?.sessions ?? []) this.#touch(session, shopper, nowMs)
    }
    await this.products.follow(keys, nowMs)
    if (keys.includes(FIGURES_KEY))
      this.#figures = ((await state.get(FIGURES_KEY)) as StoredFigures | undefined) ?? newFigures()
    return shoppers
  }

  #keepSession(event: ShopEvent, place: LogPlace): void {
    if (event.session_id === null) return
    const items = this.#sessions.get(event.session_id) ?? NO_ITEMS
    this.#sessions.set(event.session_id, withItem(items, event, { place, limit: SESSION_ITEMS_MAX }))
  }

  #follow({ removed, added }: ShopperChange, shopper: string, nowMs: number): void {
    this.#activity.forget(removed, shopper)
    for (const session of added) this.#touch(session, shopper, nowMs)
  }

  #touch(session: Session, shopper: string, nowMs: number): void {
    if (Math.abs(nowMs - session[2]) <= this.#options.rules.sessions.gapMs)
      this.#activity.touch(session, shopper)
  }

  /** Marks the id as seen; false when it was before, within the window. By intake, so that a rebuild decides the same. */
  #isFirst(event: ShopEvent): boolean {
    const seenAtMs = this.#seen.get(event.event_id)
    if (seenAtMs !== undefined && event.received_at - seenAtMs < this.#options.idempotencyWindowMs)
      return false
    this.#seen.set(event.event_id, event.received_at)
    return true
  }
}

type ParsedLists = BoundedCache<string, { readonly list: ItemList; readonly items: readonly HistoryItem[] }>

function parsedOnce(lists: ParsedLists, name: string, list: ItemList, limit: number): readonly HistoryItem[] {
  const known = lists.get(name)
  if (known !== undefined && isSameList(known.list, list)) return known.items
  const items = itemsOf(list, limit)
  lists.set(name, { list, items })
  return items
}
