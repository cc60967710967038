import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventLog, openLmdbEventLog } from '@arus/event-log'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ShopEvent } from '../events/event.ts'
import { openLmdbStateStore } from '../state/lmdb-state-store.ts'
import type { StateStore } from '../state/state-store.ts'
import { type LiveProcessor, startLiveProcessor } from './live-processor.ts'
import { growthRate, NEW_PRODUCT, viewsToday, withEvent } from './product-state.ts'
import { addToTrend, NO_TREND, PAST_HALF_LIFE_MS, RECENT_HALF_LIFE_MS, trendScore } from './trending.ts'

const HOUR = 3_600_000
const NOON = Date.UTC(2026, 2, 10, 12)
const TOPIC = 'events'

let folder = ''
let nowMs = NOON
let log: EventLog
let state: StateStore
let live: LiveProcessor
beforeEach(async () => {
  nowMs = NOON
  await openAll(mkdtempSync(join(tmpdir(), 'arus-live-')))
})
afterEach(async () => {
  await live.stop()
  await closeAll()
})

async function openAll(path: string): Promise<void> {
  folder = path
  log = await openLmdbEventLog({ folder: join(folder, 'log'), now: () => nowMs })
  await log.ensureTopic(TOPIC, { partitionCount: 2 })
  state = await openLmdbStateStore({ folder: join(folder, 'state'), now: () => nowMs })
  live = await start()
}

async function closeAll(): Promise<void> {
  await log.close()
  await state.close()
  rmSync(folder, { recursive: true })
}

function start(store: StateStore = state): Promise<LiveProcessor> {
  return startLiveProcessor({
    log,
    topic: TOPIC,
    state: store,
    now: () => nowMs,
    idempotencyWindowMs: 24 * HOUR,
    retryMs: 5,
  })
}

let counter = 0
function event(fields: Partial<ShopEvent> = {}): ShopEvent {
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

async function append(events: readonly ShopEvent[]) {
  return log.append(
    TOPIC,
    events.map((body) => ({
      key: body.user_id,
      value: Buffer.from(JSON.stringify(body)),
      timestampMs: body.received_at,
    })),
  )
}

async function send(...events: ShopEvent[]): Promise<void> {
  for (const { partition, offset } of await append(events))
    expect(await live.waitFor(partition, offset, 5_000)).toBe(true)
}

describe('history and sessions', () => {
  test('newest first by event time, with the place in the log', async () => {
    await send(event({ product_id: 'P1', ts: NOON - 2_000 }), event({ product_id: 'P3', ts: NOON }))
    await send(event({ product_id: 'P2', ts: NOON - 1_000, action: 'click' }))
    const history = await live.history('ani')
    expect(history.map((item) => item.product_id)).toEqual(['P3', 'P2', 'P1'])
    const { entries } = await log.read(TOPIC, history[1]!.partition, history[1]!.offset, 1)
    expect(JSON.parse(Buffer.from(entries[0]!.value).toString())).toMatchObject({
      product_id: 'P2',
      action: 'click',
    })
    expect(await live.history('nobody')).toEqual([])
  })

  test('history is bounded, a given session has its own', async () => {
    await send(
      ...Array.from({ length: 130 }, (_, i) =>
        event({ product_id: `P${i}`, ts: NOON + i, session_id: 's1' }),
      ),
    )
    expect(await live.history('ani')).toHaveLength(100)
    expect((await live.session('s1')).map((item) => item.product_id).slice(0, 2)).toEqual(['P129', 'P128'])
    expect(await live.session('s1')).toHaveLength(50)
  })

  test('a session ends after half an hour of silence', async () => {
    await send(event({ user_id: 'ani' }), event({ user_id: 'budi', session_id: 'b' }))
    expect(live.analytics()).toMatchObject({ active_sessions: 2, active_users: 2, total_users: 2 })
    nowMs += 31 * 60_000
    expect(live.analytics()).toMatchObject({ active_sessions: 0, active_users: 0, total_users: 2 })
  })
})

describe('figures', () => {
  test('today is by event time: funnel of distinct shoppers, actions, revenue', async () => {
    await send(
      event({ user_id: 'ani', action: 'view' }),
      event({ user_id: 'ani', action: 'view' }),
      event({ user_id: 'ani', action: 'purchase', price: 10, quantity: 3 }),
      event({ user_id: 'budi', action: 'view' }),
      event({ user_id: 'budi', action: 'view', ts: NOON - 13 * HOUR }),
      event({ user_id: 'cici', action: 'purchase', price: 99, ts: NOON - 300 * HOUR }),
    )
    expect(live.analytics()).toMatchObject({
      funnel: { view: 2, click: 0, add_to_cart: 0, purchase: 1 },
      events_today: 4,
      events_total: 6,
      revenue_today: 30,
      actions: { view: 3, purchase: 1 },
      total_users: 3,
    })
    nowMs += 24 * HOUR
    expect(live.analytics()).toMatchObject({ events_today: 0, funnel: { view: 0 }, events_total: 6 })
  })

  test('both sessions of a shopper stay active over a restart', async () => {
    await send(event({ session_id: 'phone' }), event({ session_id: 'laptop' }))
    expect(live.analytics().active_sessions).toBe(2)
    await live.stop()
    live = await start()
    expect(live.analytics()).toMatchObject({ active_sessions: 2, active_users: 1 })
  })

  test('a late event of another session does not end the session that goes on', async () => {
    await send(event({ ts: NOON - 1_000 }), event({ ts: NOON - 5 * HOUR }), event({ ts: NOON }))
    expect(live.analytics().active_sessions).toBe(1)
  })

  test('a clock that is ahead does not push the present out', async () => {
    await send(event({ ts: NOON + 5 * HOUR }), event({ user_id: 'budi' }), event())
    const { events_per_minute, active_sessions, active_users } = live.analytics()
    expect(events_per_minute.at(-1)?.count).toBe(2)
    expect([active_sessions, active_users]).toEqual([2, 2])
  })

  test('a new day begins at UTC midnight, with what was already sent for it', async () => {
    nowMs = NOON + 12 * HOUR - 1
    await send(event({ ts: nowMs, received_at: nowMs }), event({ ts: nowMs + 2, received_at: nowMs }))
    expect(live.analytics()).toMatchObject({ events_today: 1, funnel: { view: 1 } })
    nowMs += 1
    expect(live.analytics()).toMatchObject({ events_today: 1, funnel: { view: 1 }, events_total: 2 })
  })

  test('actions that senders make up share a count past the 64th', async () => {
    await send(...Array.from({ length: 70 }, (_, i) => event({ action: `made-up-${i}` })))
    const { actions } = live.analytics()
    expect(Object.keys(actions)).toHaveLength(65)
    expect(actions.other).toBe(6)
  })

  test('a backfill of old events leaves today alone', async () => {
    await send(event())
    await send(...Array.from({ length: 50 }, (_, i) => event({ user_id: `u${i}`, ts: NOON - i * 24 * HOUR })))
    expect(live.analytics().events_today).toBe(2)
    expect(live.analytics().events_per_minute.at(-1)?.count).toBe(2)
  })
})

describe('trends', () => {
  test('a product that surges leads one that is always busy', async () => {
    const steady = Array.from({ length: 240 }, (_, i) =>
      event({ product_id: 'busy', ts: NOON - i * 0.5 * HOUR }),
    )
    const surge = Array.from({ length: 30 }, (_, i) => event({ product_id: 'surge', ts: NOON - i * 60_000 }))
    await send(...steady, ...surge)
    expect(live.trending(5).map((product) => product.product_id)[0]).toBe('surge')
    expect(live.trending(1)[0]).toMatchObject({ views_today: 30, growth_rate: null })
  })

  test('a steady rate is no surprise, and a count above it is so many standard deviations', () => {
    let trend = NO_TREND
    const end = 40 * PAST_HALF_LIFE_MS
    for (let t = 0; t <= end; t += HOUR / 2) trend = addToTrend(trend, t, 1)
    expect(Math.abs(trendScore(trend, end))).toBeLessThan(0.5)
    const expected = (trend.past * RECENT_HALF_LIFE_MS) / PAST_HALF_LIFE_MS
    const more = { ...trend, recent: expected + 3 * Math.sqrt(expected + 1) }
    expect(trendScore(more, end)).toBeCloseTo(3)
  })

  test('the order in which events arrive does not change the decayed counts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 1, max: 6 })), {
          minLength: 1,
          maxLength: 20,
        }),
        (events) => {
          const fold = (list: typeof events) =>
            list.reduce((trend, [ts, weight]) => addToTrend(trend, ts, weight), NO_TREND)
          const [forward, backward] = [fold(events), fold([...events].reverse())]
          expect(forward.atMs).toBe(backward.atMs)
          expect(forward.recent).toBeCloseTo(backward.recent, 6)
          expect(forward.past).toBeCloseTo(backward.past, 6)
        },
      ),
    )
  })

  test('growth compares with the same part of yesterday', () => {
    let product = NEW_PRODUCT
    const view = (ts: number) => {
      product = withEvent(product, event({ ts }))
    }
    for (let i = 0; i < 10; i++) view(NOON - 26 * HOUR)
    for (let i = 0; i < 99; i++) view(NOON - 20 * HOUR)
    for (let i = 0; i < 15; i++) view(NOON - HOUR)
    expect(viewsToday(product, NOON)).toBe(15)
    expect(growthRate(product, NOON)).toBeCloseTo(0.5)
  })
})

describe('exactly once', () => {
  test('an event_id counts once, in one batch, in two, and after a restart', async () => {
    const one = event({ event_id: 'same' })
    await send(one, one)
    await send(one)
    await live.stop()
    live = await start()
    await send(one)
    expect(live.analytics().events_total).toBe(1)
    expect(await live.history('ani')).toHaveLength(1)
    expect(await live.isKnown(['same', 'other'])).toEqual([true, false])
    nowMs += 25 * HOUR
    expect(await live.isKnown(['same'])).toEqual([false])
  })

  test('restarts and failed commits at any point give the same state as applying once', async () => {
    const one = fc.record({
      event_id: fc.integer({ min: 0, max: 40 }).map((n) => `e${n}`),
      action: fc.constantFrom('view', 'click', 'purchase'),
      product_id: fc.constantFrom('P1', 'P2', 'P3'),
      ts: fc.integer({ min: 0, max: 40 * HOUR }).map((ago) => NOON - ago),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(one, { maxLength: 9 }), fc.boolean(), fc.boolean()), {
          minLength: 1,
          maxLength: 5,
        }),
        async (rounds) => {
          await live.stop()
          await closeAll()
          await openAll(mkdtempSync(join(tmpdir(), 'arus-live-')))
          for (const [events, restarts, fails] of rounds) {
            if (fails) {
              await live.stop()
              live = await start(failingOnce(state))
            }
            await send(...events.map((fields) => event({ ...fields, user_id: ownerOf(fields.event_id) })))
            if (restarts) {
              await live.stop()
              live = await start()
            }
          }
          await live.stop()
          live = await start()
          const stepwise = await picture()
          expect(stepwise).toMatchObject(plainPicture(rounds.flatMap(([events]) => events)))
          await live.rebuild()
          expect(await picture()).toEqual(stepwise)
        },
      ),
      { numRuns: 25 },
    )
  }, 60_000)

  test('a rebuild at another time, of ids that came again past the window, gives the same state', async () => {
    await send(event({ event_id: 'same' }))
    nowMs += 25 * HOUR
    await send(event({ event_id: 'same', received_at: nowMs, ts: nowMs }))
    await send(event({ event_id: 'same', received_at: nowMs, ts: nowMs }))
    expect(live.analytics().events_total).toBe(2)
    const before = await picture()
    await live.rebuild()
    expect(await picture()).toEqual(before)
  })

  test('a rebuild that was cut short while clearing is begun again at the next start', async () => {
    await send(event({ event_id: 'a' }), event({ event_id: 'b', user_id: 'budi' }))
    const before = await picture()
    await live.stop()
    const dying = withChanges(state, {
      clear: async () => {
        await state.commit(['live/figures', 'live/offset/0', 'live/offset/1'].map(removed))
        throw new RangeError('killed')
      },
    })
    live = await start(dying)
    await expect(live.rebuild()).rejects.toThrow('killed')
    live = await start()
    expect(await picture()).toEqual(before)
  })

  test('what is being forgotten while a batch fails is not counted twice', async () => {
    await send(event({ user_id: 'ani' }), event({ user_id: 'budi' }))
    await live.stop()
    live = await start(failingOnce(state))
    const positions = await append([event({ user_id: 'budi' })])
    const forgotten = live.forget('ani').catch(() => live.forget('ani'))
    for (const { partition, offset } of positions) await live.waitFor(partition, offset, 5_000)
    await forgotten
    expect(live.analytics()).toMatchObject({ total_users: 1, events_total: 2, events_today: 3 })
  })

  test('what is no event is passed over and told', async () => {
    await live.stop()
    const poison: number[] = []
    live = await startLiveProcessor({
      log,
      topic: TOPIC,
      state,
      now: () => nowMs,
      idempotencyWindowMs: HOUR,
      onPoison: (_, offset) => poison.push(offset),
    })
    const bodies = [
      'no json',
      '{}',
      'null',
      '[]',
      JSON.stringify({ ...event(), user_id: { id: 1 } }),
      JSON.stringify({ ...event(), event_id: 'x'.repeat(10_000) }),
      JSON.stringify({ ...event(), ts: 'now' }),
      JSON.stringify({ ...event(), user_id: null }),
    ]
    await log.append(
      TOPIC,
      bodies.map((value) => ({ key: 'ani', value: Buffer.from(value), timestampMs: NOON })),
    )
    await send(event())
    expect(poison).toHaveLength(bodies.length)
    expect(live.analytics().events_total).toBe(1)
  })
})

describe('listeners and forgetting', () => {
  test('a shopper’s change is told at once; the event is visible within milliseconds', async () => {
    const changed = new Promise<void>((resolve) => live.onShopperChange('ani', resolve))
    const startedAt = performance.now()
    await append([event()])
    await changed
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(await live.history('ani')).toHaveLength(1)
  })

  test('a forgotten shopper has no history and no session, and is taken out of the totals', async () => {
    await send(
      event({ session_id: 's' }),
      event({ session_id: 's', action: 'search', product_id: null }),
      event({ user_id: 'budi' }),
    )
    expect(await live.forget('ani')).toBe(1)
    expect(await live.history('ani')).toEqual([])
    expect(await live.session('s')).toEqual([])
    const expected = { total_users: 1, active_sessions: 1, events_total: 1, funnel: { view: 1 } }
    expect(live.analytics()).toMatchObject(expected)
    expect(live.analytics().recent_events.every((recent) => recent.user_id === 'budi')).toBe(true)
    expect(await live.forget('nobody')).toBe(0)
    await live.stop()
    live = await start()
    expect(live.analytics()).toMatchObject(expected)
  })

  test('waiting for what does not come ends with the time-out', async () => {
    await send(event())
    expect(await live.waitFor(0, 1_000_000, 5)).toBe(false)
  })

  test('changes are told at most once an interval, and the last one is not left out', async () => {
    let told = 0
    const stop = live.onChange(() => {
      told += 1
    }, 40)
    for (let i = 0; i < 10; i++) await send(event())
    const startedAt = performance.now()
    await expect.poll(() => told, { timeout: 5_000, interval: 5 }).toBeGreaterThanOrEqual(2)
    expect(told).toBeLessThan(10)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    stop()
  })

  test('2,000 events a second are visible within 50 ms, give or take a busy machine', async () => {
    const latencies: number[] = []
    for (let tick = 0; tick < 50; tick++) {
      const sent = Array.from({ length: 20 }, async (_, i) => {
        const [place] = await append([event({ user_id: `u${i}` })])
        const acknowledgedAt = performance.now()
        expect(await live.waitFor(place!.partition, place!.offset, 5_000)).toBe(true)
        latencies.push(performance.now() - acknowledgedAt)
      })
      await Promise.all(sent)
    }
    latencies.sort((a, b) => a - b)
    expect(latencies[Math.floor(latencies.length * 0.99)]).toBeLessThan(250)
  })
})

/** A repeated event comes from the same shopper, as a retry does. */
function ownerOf(eventId: string): string {
  return ['ani', 'budi', 'cici'][Number(eventId.slice(1)) % 3]!
}

/** The same figures by plain loops over the first event of each id. */
function plainPicture(sent: readonly { event_id: string; action: string; product_id: string; ts: number }[]) {
  const events = [...new Map([...sent].reverse().map((one) => [one.event_id, one])).values()]
  const midnight = NOON - 12 * HOUR
  const today = events.filter(({ ts }) => ts >= midnight && ts < midnight + 24 * HOUR)
  const reached = (step: string) =>
    new Set(today.filter(({ action }) => action === step).map(({ event_id }) => ownerOf(event_id))).size
  const count = (product: string, action: string) =>
    events.filter((one) => one.product_id === product && one.action === action).length
  return {
    analytics: {
      total_users: new Set(events.map(({ event_id }) => ownerOf(event_id))).size,
      events_total: events.length,
      events_today: today.length,
      funnel: {
        view: reached('view'),
        click: reached('click'),
        add_to_cart: 0,
        purchase: reached('purchase'),
      },
      active_users: new Set(
        events.filter(({ ts }) => ts >= NOON - HOUR / 2).map(({ event_id }) => ownerOf(event_id)),
      ).size,
    },
    histories: ['ani', 'budi', 'cici'].map((shopper) =>
      events
        .filter(({ event_id }) => ownerOf(event_id) === shopper)
        .map(({ ts }) => ({ ts }))
        .sort((a, b) => b.ts - a.ts),
    ),
    counters: ['P1', 'P2', 'P3'].map((product) => ({
      views: count(product, 'view'),
      clicks: count(product, 'click'),
      carts: 0,
      purchases: count(product, 'purchase'),
    })),
  }
}

/** All that readers can see, without the clock's part. */
async function picture() {
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

/** The store, whose first commit of a batch or of forgetting fails without writing. */
function failingOnce(store: StateStore): StateStore {
  let hasFailed = false
  return withChanges(store, {
    commit: async (changes) => {
      if (hasFailed) return store.commit(changes)
      hasFailed = true
      throw new RangeError('no room')
    },
  })
}

function withChanges(store: StateStore, changes: Partial<StateStore>): StateStore {
  return {
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    scan: (prefix) => store.scan(prefix),
    clear: (prefix) => store.clear(prefix),
    commit: (list) => store.commit(list),
    sizeBytes: () => store.sizeBytes(),
    isHealthy: () => store.isHealthy(),
    close: () => store.close(),
    ...changes,
  }
}

function removed(key: string) {
  return { key, value: undefined }
}
