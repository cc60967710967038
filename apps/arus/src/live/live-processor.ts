import type { EventLog, LogBatch } from '@arus/event-log'
import { type ShopEvent, shopperOf } from '../events/event.ts'
import type { StateChange, StateStore } from '../state/state-store.ts'
import { decodeEvent } from './decode-event.ts'
import { Listeners } from './listeners.ts'
import type { HistoryItem, LiveAnalytics, LiveState, ProductCounters, TrendingProduct } from './live-state.ts'
import { NEW_PRODUCT, type ProductState, withEvent } from './product-state.ts'
import { RateCounter, RecentActivity, SESSION_GAP_MS } from './recent-activity.ts'
import { countEvent, dayOf, FUNNEL_STEPS, newFigures, type StoredFigures } from './shop-figures.ts'
import {
  historyItem,
  type ShopperState,
  type StoredItem,
  withSessionEvent,
  withShopperEvent,
} from './shopper-state.ts'
import { StateCache } from './state-cache.ts'
import { TrendList } from './trend-list.ts'

export interface LiveProcessorOptions {
  readonly log: EventLog
  readonly topic: string
  readonly state: StateStore
  readonly now: () => number
  /** An event_id seen again within this time has no effect. */
  readonly idempotencyWindowMs: number
  /** Told of entries that are no events; they are passed over. */
  readonly onPoison?: (batch: LogBatch, offset: number, error: unknown) => void
  /** Told of a batch that could not be committed; it is applied again from the stored state. */
  readonly onFault?: (error: unknown) => void
}

/** The stream processors, running. */
export interface LiveProcessor extends LiveState {
  /** Which of the ids were applied within the idempotency window. */
  isKnown(eventIds: readonly string[]): Promise<boolean[]>
  /**
   * Removes a shopper's history and sessions, and takes them out of `total_users`, `events_total`, the funnel and the
   * recent events; gives the number of history items removed. Their part in the day's events, actions and revenue, in
   * product counters and trends cannot be told from that of others and stays. A rebuild counts what the log still holds.
   */
  forget(shopper: string): Promise<number>
  /**
   * Forgets everything and applies the log from its beginning; resolves when it has caught up with its present end. A
   * rebuild that was cut short is begun again at the next start.
   */
  rebuild(): Promise<void>
  stop(): Promise<void>
}

/** Consumer group under which progress shows as lag. */
export const LIVE_GROUP = 'live'

const PREFIX = {
  shopper: 'live/shopper/',
  session: 'live/session/',
  product: 'live/product/',
  seen: 'live/seen/',
  step: 'live/step/',
  offset: 'live/offset/',
}
const ALL_PREFIX = 'live/'
const FIGURES_KEY = 'live/figures'
/** Says in which form the state is stored; outside the prefix, so that it goes first and comes back last. */
const FORMAT_KEY = 'live-format'
/** Raised when the stored form changes: state of another form is made again from the log. */
const FORMAT = 2
/** Entries applied in one commit at most. Small ones pay a sync to disk each, large ones hold up requests. */
const BATCH_RECORDS = 4_000
const CACHE_ENTRIES = 50_000
const SESSION_TTL_MS = 7 * 86_400_000
const STEP_TTL_MS = 3 * 86_400_000
const LAG_COMMIT_MS = 1_000
const RETRY_MS = 500

/** Restores what was stored, then applies the log until stopped; resolves when it has caught up with the log's end. */
export async function startLiveProcessor(options: LiveProcessorOptions): Promise<LiveProcessor> {
  const processor = new StreamProcessor(options)
  await processor.start()
  return processor
}

/**
 * One loop over all partitions. Each batch changes values in memory and commits them together with the offset they
 * stand for and the ids of its events, so that every event counts once in effect, whenever the process dies.
 */
class StreamProcessor implements LiveProcessor {
  readonly #options: LiveProcessorOptions
  readonly #shoppers = new StateCache<ShopperState>(PREFIX.shopper, CACHE_ENTRIES)
  readonly #sessions = new StateCache<readonly StoredItem[]>(PREFIX.session, CACHE_ENTRIES)
  readonly #products = new StateCache<ProductState>(PREFIX.product, CACHE_ENTRIES)
  readonly #seen = new StateCache<number>(PREFIX.seen, CACHE_ENTRIES)
  readonly #steps = new StateCache<number>(PREFIX.step, CACHE_ENTRIES)
  readonly #applied = new Map<number, number>()
  readonly #listeners = new Listeners()
  readonly #eventRate = new RateCounter(10)
  readonly #recommendationRate = new RateCounter(60)
  #activity = new RecentActivity()
  #trends = new TrendList()
  #figures: StoredFigures = newFigures()
  #abort = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  /** One at a time: batches, forgetting. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Memory may be ahead of the store: some work began and did not end. */
  #isTorn = false
  #lagCommittedAtMs = 0

  constructor(options: LiveProcessorOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    await this.#clearOtherFormat()
    await this.#restore()
    this.#abort = new AbortController()
    this.#loop = this.#run(this.#abort.signal)
    const { partitions } = await this.#options.log.topic(this.#options.topic)
    await Promise.all(
      partitions.map(({ partition, endOffset }) => this.waitFor(partition, endOffset - 1, 600_000)),
    )
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#loop
    await this.#turn
    await this.#commitLag()
  }

  async history(shopper: string): Promise<readonly HistoryItem[]> {
    const state = await this.#shoppers.read(this.#options.state, shopper)
    return (state?.items ?? []).map(historyItem)
  }

  async session(sessionId: string): Promise<readonly HistoryItem[]> {
    return ((await this.#sessions.read(this.#options.state, sessionId)) ?? []).map(historyItem)
  }

  trending(limit: number): readonly TrendingProduct[] {
    return this.#trends.top(limit, this.#options.now())
  }

  async productCounters(productId: string): Promise<ProductCounters> {
    return ((await this.#products.read(this.#options.state, productId)) ?? NEW_PRODUCT).counters
  }

  analytics(): LiveAnalytics {
    const nowMs = this.#options.now()
    const figures = this.#figures
    const today = figures.days.find(({ day }) => day === dayOf(nowMs))
    const active = this.#activity.active(nowMs)
    return {
      total_users: figures.totalUsers,
      active_sessions: active.sessions,
      active_users: active.users,
      funnel: { ...(today?.funnel ?? { view: 0, click: 0, add_to_cart: 0, purchase: 0 }) },
      events_today: today?.events ?? 0,
      events_total: figures.totalEvents,
      revenue_today: Math.round((today?.revenue ?? 0) * 100) / 100,
      actions: { ...today?.actions },
      events_per_second: this.#eventRate.total(nowMs) / 10,
      recommendations_per_minute: this.#recommendationRate.total(nowMs),
      events_per_minute: minutesUntil(figures.minutes, Math.floor(nowMs / 60_000)),
      recent_events: figures.recent,
      newest_event_at: figures.newestTs,
      generated_at: nowMs,
    }
  }

  countRecommendation(): void {
    this.#recommendationRate.add(1, this.#options.now())
  }

  appliedOffsets(): ReadonlyMap<number, number> {
    return this.#applied
  }

  waitFor(partition: number, offset: number, timeoutMs: number): Promise<boolean> {
    return this.#listeners.until(() => (this.#applied.get(partition) ?? 0) > offset, timeoutMs)
  }

  onShopperChange(shopper: string, listener: () => void): () => void {
    return this.#listeners.onShopper(shopper, listener)
  }

  onChange(listener: () => void, minIntervalMs: number): () => void {
    return this.#listeners.onAny(listener, minIntervalMs)
  }

  async isKnown(eventIds: readonly string[]): Promise<boolean[]> {
    const { state, now } = this.#options
    const nowMs = now()
    const seen = await Promise.all(eventIds.map((id) => this.#seen.read(state, id)))
    return seen.map((atMs) => atMs !== undefined && nowMs - atMs < this.#options.idempotencyWindowMs)
  }

  forget(shopper: string): Promise<number> {
    return this.#inTurn(async () => {
      const { state } = this.#options
      await this.#shoppers.load(state, [shopper])
      const known = this.#shoppers.get(shopper)
      if (known === undefined) return 0
      this.#shoppers.set(shopper, undefined)
      const sessions = known.sessions.map(([session]) => session)
      for (const session of sessions) this.#sessions.set(session, undefined)
      this.#activity.forget(shopper, sessions)
      await this.#uncount(shopper, known)
      await this.#commit([])
      this.#listeners.announce([shopper])
      return known.items.length
    })
  }

  async rebuild(): Promise<void> {
    await this.#options.state.commit([{ key: FORMAT_KEY, value: undefined }])
    this.#abort.abort()
    await this.#loop
    await this.#turn
    await this.start()
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

  /** State in no known form, or left half cleared by a rebuild that was cut short, goes. */
  async #clearOtherFormat(): Promise<void> {
    const { state } = this.#options
    if ((await state.get(FORMAT_KEY)) === FORMAT) return
    await state.clear(ALL_PREFIX)
    await state.commit([{ key: FORMAT_KEY, value: FORMAT }])
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { log, topic, onFault } = this.#options
    while (!signal.aborted) {
      try {
        for await (const batch of log.consume(topic, {
          from: this.#applied,
          maxRecords: BATCH_RECORDS,
          signal,
        })) {
          await this.#inTurn(() => this.#applyBatch(batch))
        }
      } catch (error) {
        if (signal.aborted) return
        onFault?.(error)
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
        // Takes the stored state for the truth before the log is read on from there.
        await this.#inTurn(async () => {}).catch((failure: unknown) => onFault?.(failure))
      }
    }
  }

  async #applyBatch(batch: LogBatch): Promise<void> {
    const { state, now } = this.#options
    const received = this.#decode(batch)
    await this.#seen.load(
      state,
      received.map(({ event }) => event.event_id),
    )
    const nowMs = now()
    const fresh = received.filter(({ event }) => this.#isFirst(event))
    await this.#load(fresh.map(({ event }) => event))
    for (const { event, offset } of fresh) this.#apply(event, { partition: batch.partition, offset })
    await this.#commit([{ key: PREFIX.offset + batch.partition, value: batch.nextOffset }])
    this.#applied.set(batch.partition, batch.nextOffset)
    this.#eventRate.add(fresh.length, nowMs)
    this.#listeners.announce(fresh.map(({ event }) => shopperOf(event)))
    if (nowMs - this.#lagCommittedAtMs > LAG_COMMIT_MS) await this.#commitLag()
  }

  #decode(batch: LogBatch): { event: ShopEvent; offset: number }[] {
    const appliedOffset = this.#applied.get(batch.partition) ?? 0
    const decoded: { event: ShopEvent; offset: number }[] = []
    for (const entry of batch.entries) {
      if (entry.offset < appliedOffset) continue
      try {
        decoded.push({ event: decodeEvent(entry), offset: entry.offset })
      } catch (error) {
        this.#options.onPoison?.(batch, entry.offset, error)
      }
    }
    return decoded
  }

  /** Marks the id as seen; false when it was before, within the window. By intake, so that a rebuild decides the same. */
  #isFirst(event: ShopEvent): boolean {
    const seenAtMs = this.#seen.get(event.event_id)
    if (seenAtMs !== undefined && event.received_at - seenAtMs < this.#options.idempotencyWindowMs)
      return false
    this.#seen.set(event.event_id, event.received_at)
    return true
  }

  async #load(events: readonly ShopEvent[]): Promise<void> {
    const { state } = this.#options
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
  }

  #apply(event: ShopEvent, place: { readonly partition: number; readonly offset: number }): void {
    const nowMs = this.#options.now()
    const shopper = shopperOf(event)
    const known = this.#shoppers.get(shopper)
    if (known === undefined) this.#figures.totalUsers += 1
    const seenAtMs = Math.min(event.ts, event.received_at)
    const { state, session } = withShopperEvent(known, shopper, event, { ...place, seenAtMs })
    this.#shoppers.set(shopper, state)
    if (event.session_id !== null)
      this.#sessions.set(session, withSessionEvent(this.#sessions.get(session), event, place))
    if (nowMs - seenAtMs <= SESSION_GAP_MS) this.#activity.touch(session, shopper, seenAtMs)
    if (event.product_id !== null) {
      const product = withEvent(this.#products.get(event.product_id) ?? NEW_PRODUCT, event)
      this.#products.set(event.product_id, product)
      this.#trends.offer(event.product_id, product, nowMs)
    }
    const counted = countEvent(this.#figures, event)
    if (counted === null) return
    const step = stepId(counted.day.day, counted.step, shopper)
    if (this.#steps.get(step) !== undefined) return
    this.#steps.set(step, 1)
    counted.day.funnel[counted.step] += 1
  }

  /** Everything that changed, in one commit with `more`. */
  async #commit(more: readonly StateChange[]): Promise<void> {
    const { state, now, idempotencyWindowMs } = this.#options
    const nowMs = now()
    const expiring = (changes: readonly StateChange[], ttlMs: number) =>
      changes.map((change) => ({ ...change, expiresAtMs: nowMs + ttlMs }))
    await state.commit([
      ...this.#shoppers.drain(),
      ...expiring(this.#sessions.drain(), SESSION_TTL_MS),
      ...this.#products.drain(),
      ...expiring(this.#seen.drain(), idempotencyWindowMs),
      ...expiring(this.#steps.drain(), STEP_TTL_MS),
      { key: FIGURES_KEY, value: this.#figures },
      ...more,
    ])
  }

  /** Takes the stored state for the truth: at start, and after a commit that failed. */
  async #restore(): Promise<void> {
    const { state, log, topic, now } = this.#options
    for (const cache of [this.#shoppers, this.#sessions, this.#products, this.#seen, this.#steps])
      cache.drop()
    this.#figures = ((await state.get(FIGURES_KEY)) as StoredFigures | undefined) ?? newFigures()
    const { partitions } = await log.topic(topic)
    for (const { partition, startOffset } of partitions) {
      const stored = (await state.get(PREFIX.offset + partition)) as number | undefined
      this.#applied.set(partition, stored ?? startOffset)
    }
    const nowMs = now()
    this.#trends = new TrendList()
    for await (const { key, value } of state.scan(PREFIX.product)) {
      this.#trends.offer(key.slice(PREFIX.product.length), value as ProductState, nowMs)
    }
    this.#activity = new RecentActivity()
    for await (const { key, value } of state.scan(PREFIX.shopper)) {
      for (const [session, lastTs] of (value as ShopperState).sessions) {
        if (nowMs - lastTs <= SESSION_GAP_MS)
          this.#activity.touch(session, key.slice(PREFIX.shopper.length), lastTs)
      }
    }
  }

  async #commitLag(): Promise<void> {
    const { log, topic, now } = this.#options
    this.#lagCommittedAtMs = now()
    await log.commit(LIVE_GROUP, topic, new Map(this.#applied)).catch(() => {
      // Only shown as lag: the offsets that count are in the state store.
    })
  }

  /** Runs one after the other. After work that failed, memory is first brought back to what is stored. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      if (this.#isTorn) await this.#restore()
      this.#isTorn = true
      const done = await work()
      this.#isTorn = false
      return done
    })
    this.#turn = result.catch(() => {})
    return result
  }
}

function stepId(day: number, step: string, shopper: string): string {
  return `${day}/${step}/${shopper}`
}

/** The last hour, minutes without an event included. */
function minutesUntil(minutes: StoredFigures['minutes'], last: number): { minute: number; count: number }[] {
  const counts = new Map(minutes)
  return Array.from({ length: 60 }, (_, i) => {
    const minute = last - 59 + i
    return { minute: minute * 60_000, count: counts.get(minute) ?? 0 }
  })
}
