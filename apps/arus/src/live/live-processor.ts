import { setImmediate } from 'node:timers/promises'
import type { EventLog, LogBatch } from '@arus/event-log'
import { type ShopEvent, shopperOf } from '../events/event.ts'
import type { StateChange, StateStore } from '../state/state-store.ts'
import { decodeEvent } from './decode-event.ts'
import { Listeners } from './listeners.ts'
import { LIVE_PREFIX, LiveMemory } from './live-memory.ts'
import type { HistoryItem, LiveAnalytics, LiveState, ProductCounters, TrendingProduct } from './live-state.ts'
import { RateCounter } from './recent-activity.ts'
import { dayOf, type StoredFigures } from './shop-figures.ts'

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
  /** Wait after a fault before going on. Default 500. */
  readonly retryMs?: number
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

const OFFSET_PREFIX = `${LIVE_PREFIX}offset/`
/** Says in which form the state is stored; outside the prefix, so that it goes first and comes back last. */
const FORMAT_KEY = 'live-format'
/** Raised when the stored form changes: state of another form is made again from the log. */
const FORMAT = 3
/** Entries applied in one commit at most. While catching up, larger commits write each shopper and product less often. */
const BATCH_RECORDS = 10_000
/** Requests are let in after so many events of a batch. */
const YIELD_EVERY = 1_000
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
  readonly #memory: LiveMemory
  readonly #applied = new Map<number, number>()
  readonly #listeners = new Listeners()
  readonly #eventRate = new RateCounter(10)
  readonly #recommendationRate = new RateCounter(60)
  #abort = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  /** One at a time: batches, forgetting. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Memory may be ahead of the store: some work began and did not end. */
  #isTorn = false
  /** Set while there is progress the log has not been told of. */
  #lagTimer: NodeJS.Timeout | null = null

  constructor(options: LiveProcessorOptions) {
    this.#options = options
    this.#memory = new LiveMemory(options)
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

  history(shopper: string): Promise<readonly HistoryItem[]> {
    return this.#memory.history(shopper)
  }

  session(sessionId: string): Promise<readonly HistoryItem[]> {
    return this.#memory.session(sessionId)
  }

  trending(limit: number): readonly TrendingProduct[] {
    return this.#memory.trends.top(limit, this.#options.now())
  }

  productCounters(productId: string): Promise<ProductCounters> {
    return this.#memory.counters(productId)
  }

  analytics(): LiveAnalytics {
    const nowMs = this.#options.now()
    const { figures, activity } = this.#memory
    const today = figures.days.find(({ day }) => day === dayOf(nowMs))
    const active = activity.active(nowMs)
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

  isKnown(eventIds: readonly string[]): Promise<boolean[]> {
    return this.#memory.isKnown(eventIds)
  }

  forget(shopper: string): Promise<number> {
    return this.#inTurn(async () => {
      const removed = await this.#memory.forget(shopper)
      if (removed === null) return 0
      await this.#commit([])
      this.#listeners.announce([shopper])
      return removed
    })
  }

  async rebuild(): Promise<void> {
    await this.#options.state.commit([{ key: FORMAT_KEY, value: undefined }])
    this.#abort.abort()
    await this.#loop
    await this.#turn
    await this.start()
  }

  /** State in no known form, or left half cleared by a rebuild that was cut short, goes. */
  async #clearOtherFormat(): Promise<void> {
    const { state } = this.#options
    if ((await state.get(FORMAT_KEY)) === FORMAT) return
    await state.clear(LIVE_PREFIX)
    await state.commit([{ key: FORMAT_KEY, value: FORMAT }])
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { log, topic, onFault, retryMs = RETRY_MS } = this.#options
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
        await new Promise((resolve) => setTimeout(resolve, retryMs))
        // Takes the stored state for the truth before the log is read on from there.
        await this.#inTurn(async () => {}).catch((failure: unknown) => onFault?.(failure))
      }
    }
  }

  async #applyBatch(batch: LogBatch): Promise<void> {
    const fresh = await this.#memory.load(this.#decode(batch))
    for (const [i, { event, offset }] of fresh.entries()) {
      if (i % YIELD_EVERY === YIELD_EVERY - 1) await setImmediate()
      this.#memory.apply(event, { partition: batch.partition, offset })
    }
    await this.#commit([{ key: OFFSET_PREFIX + batch.partition, value: batch.nextOffset }])
    this.#applied.set(batch.partition, batch.nextOffset)
    this.#eventRate.add(fresh.length, this.#options.now())
    this.#listeners.announce(fresh.map(({ event }) => shopperOf(event)))
    this.#lagTimer ??= setTimeout(() => void this.#commitLag(), LAG_COMMIT_MS)
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

  /** Everything that changed, in one commit with `more`. */
  #commit(more: readonly StateChange[]): Promise<void> {
    return this.#options.state.commit([...this.#memory.drain(), ...more])
  }

  /** Takes the stored state for the truth: at start, and after a commit that failed. */
  async #restore(): Promise<void> {
    const { state, log, topic } = this.#options
    await this.#memory.restore()
    const { partitions } = await log.topic(topic)
    for (const { partition, startOffset } of partitions) {
      const stored = (await state.get(OFFSET_PREFIX + partition)) as number | undefined
      this.#applied.set(partition, stored ?? startOffset)
    }
  }

  async #commitLag(): Promise<void> {
    const { log, topic } = this.#options
    if (this.#lagTimer !== null) clearTimeout(this.#lagTimer)
    this.#lagTimer = null
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

/** The last hour, minutes without an event included. */
function minutesUntil(minutes: StoredFigures['minutes'], last: number): { minute: number; count: number }[] {
  const counts = new Map(minutes)
  return Array.from({ length: 60 }, (_, i) => {
    const minute = last - 59 + i
    return { minute: minute * 60_000, count: counts.get(minute) ?? 0 }
  })
}
