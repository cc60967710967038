/** The live processor over a real log and a real state store in a folder of its own, for tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventLog, openLmdbEventLog, type RecordPosition } from '@arus/event-log'
import { expect } from 'vitest'
import type { ShopEvent } from '../events/event.ts'
import type { LmdbStateStore } from '../state/lmdb-state-store.ts'
import type { StateStore } from '../state/state-store.ts'
import { openTestState } from '../state/test-state.ts'
import { LIVE_PREFIX } from './live-memory.ts'
import { type LiveProcessor, type LiveProcessorOptions, startLiveProcessor } from './live-processor.ts'

export const HOUR = 3_600_000
export const NOON: number = Date.UTC(2026, 2, 10, 12)
export const TOPIC = 'events'
export const REJECTED = 'rejected'

/** A log, a state store and a running processor, on one clock. */
export class TestLive {
  nowMs = NOON
  steadyMs = 0
  readonly folder: string = mkdtempSync(join(tmpdir(), 'arus-live-'))
  #log: EventLog | null = null
  #state: StateStore | null = null
  #live: LiveProcessor | null = null

  static async open(options: Partial<LiveProcessorOptions> = {}): Promise<TestLive> {
    const shop = new TestLive()
    await shop.openLog()
    shop.#state = await openTestState(join(shop.folder, 'state'), {
      now: () => shop.nowMs,
      steadyMs: () => shop.steadyMs,
    })
    await shop.start(options)
    return shop
  }

  get log(): EventLog {
    return this.#log!
  }

  get state(): StateStore {
    return this.#state!
  }

  /** For tests of what only LMDB does. */
  get lmdb(): LmdbStateStore {
    return this.state as LmdbStateStore
  }

  get live(): LiveProcessor {
    return this.#live!
  }

  async openLog(): Promise<void> {
    this.#log = await openLmdbEventLog({ folder: join(this.folder, 'log'), now: () => this.nowMs })
    for (const topic of [TOPIC, REJECTED]) await this.log.ensureTopic(topic, { partitionCount: 2 })
  }

  /** Starts a processor; the one before must have been stopped, or be dead. */
  async start(options: Partial<LiveProcessorOptions> = {}): Promise<void> {
    this.#live = await startLiveProcessor({ ...this.options(), ...options } as LiveProcessorOptions)
  }

  options(): LiveProcessorOptions {
    return {
      log: this.log,
      topic: TOPIC,
      rejectedTopic: REJECTED,
      state: this.state,
      now: () => this.nowMs,
      steadyMs: () => this.steadyMs,
      idempotencyWindowMs: 24 * HOUR,
      retryMs: 5,
    }
  }

  async restart(options: Partial<LiveProcessorOptions> = {}): Promise<void> {
    await this.live.stop()
    await this.start(options)
  }

  /** Time goes by. To set `nowMs` alone is to set the clock. */
  pass(ms: number): void {
    this.nowMs += ms
    this.steadyMs += ms
  }

  append(events: readonly ShopEvent[]): Promise<RecordPosition[]> {
    return this.log.append(
      TOPIC,
      events.map((body) => ({
        key: body.user_id,
        value: Buffer.from(JSON.stringify(body)),
        timestampMs: body.received_at,
      })),
    )
  }

  /** Appends, and waits until all are applied. */
  async send(...events: ShopEvent[]): Promise<void> {
    for (const { partition, offset } of await this.append(events))
      expect(await this.live.waitFor(partition, offset, 60_000)).toBe(true)
  }

  async close(): Promise<void> {
    await this.live.stop()
    await this.log.close()
    await this.state.close()
    rmSync(this.folder, { recursive: true })
  }
}

let counter = 0

/** A view of P1 by ani at noon, with an id of its own. */
export function event(fields: Partial<ShopEvent> = {}): ShopEvent {
  return {
    event_id: `id-${counter++}`,
    user_id: 'ani',
    session_id: null,
    anonymous_id: null,
    action: 'view',
    product_id: 'P1',
    ts: NOON,
    received_at: NOON,
    price: null,
    quantity: null,
    order_id: null,
    recommendation_id: null,
    position: null,
    query: null,
    properties: null,
    ...fields,
  }
}

/** All that readers can see, without the clock's part. */
export async function picture(live: LiveProcessor) {
  const { generated_at: _, events_per_second: __, ...analytics } = live.analytics()
  const histories = await Promise.all(['ani', 'budi', 'cici'].map((shopper) => live.history(shopper)))
  const counters = await Promise.all(['P1', 'P2', 'P3'].map((product) => live.productCounters(product)))
  return {
    analytics: {
      ...analytics,
      recent_events: analytics.recent_events.map((recent) => recent.event_id).sort(),
    },
    histories,
    counters,
  }
}

/** Every key of live state with its value, once all that is applied is stored. */
export async function storedState({ state, live }: TestLive): Promise<Map<string, unknown>> {
  await live.flush()
  return storedIn(state)
}

/** Every key of live state in a store with its value. */
export async function storedIn(state: StateStore): Promise<Map<string, unknown>> {
  const stored = new Map<string, unknown>()
  for await (const { key, value } of state.scan(LIVE_PREFIX)) stored.set(key, value)
  return stored
}

/** The store, whose first commit of a batch or of forgetting fails without writing. */
export function failingOnce(store: StateStore): StateStore {
  let hasFailed = false
  return withChanges(store, {
    commit: async (changes) => {
      if (hasFailed) return store.commit(changes)
      hasFailed = true
      throw new RangeError('no room')
    },
  })
}

/** The store with some of its work done otherwise. */
export function withChanges(store: StateStore, changes: Partial<StateStore>): StateStore {
  return {
    ...(store.sharing === undefined ? {} : { sharing: store.sharing }),
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    scan: (prefix) => store.scan(prefix),
    clear: (prefix) => store.clear(prefix),
    erase: (matches) => store.erase(matches),
    commit: (list) => store.commit(list),
    sizeBytes: () => store.sizeBytes(),
    isHealthy: () => store.isHealthy(),
    close: () => store.close(),
    ...changes,
  }
}
