import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ArusError } from '../errors.ts'
import { openTestLake, TEST_TOPICS } from '../lake/test-lake.ts'
import { openLmdbStateStore } from '../state/lmdb-state-store.ts'
import type { StateStore } from '../state/state-store.ts'
import { startLiveProcessor } from './live-processor.ts'
import { backoffMs, PoisonWatch } from './poison-watch.ts'
import { event, HOUR, NOON, picture, REJECTED, TestLive, TOPIC, withChanges } from './test-live.ts'

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

/** For tests that hang, not for machines that are slow. */
const WITHIN = { timeout: 60_000 }

/** A purchase that no sum of money can hold. */
const priceless = { action: 'purchase', price: 1e300, quantity: 2 } as const

async function rejected(): Promise<Record<string, unknown>[]> {
  const batches = await Promise.all([0, 1].map((partition) => shop.log.read(REJECTED, partition, 0, 100)))
  return batches.flatMap(({ entries }) =>
    entries.map(({ value }) => JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>),
  )
}

describe('an event whose processing fails', () => {
  test('goes to the rejected topic with its place and the reason; the others count once', async () => {
    const passedOver: number[] = []
    await shop.restart({ onPoison: (_, offset) => passedOver.push(offset) })
    const bad = event({ event_id: 'bad', ...priceless })
    const events = Array.from({ length: 200 }, (_, i) => event({ ts: NOON - i }))
    await shop.send(...events.slice(0, 120), bad, ...events.slice(120))
    expect(shop.live.analytics()).toMatchObject({ events_total: 200, revenue_today: 0, total_users: 1 })
    expect(await shop.live.productCounters('P1')).toMatchObject({ views: 200, purchases: 0 })
    const [body, ...others] = await rejected()
    expect(others).toEqual([])
    expect(body).toMatchObject({
      pointer: '',
      received_at: NOON,
      reason: expect.stringMatching(/^live state could not take it in: a purchase is worth at most/),
    })
    expect(JSON.parse(String(body?.raw))).toEqual(bad)
    const { partition, offset } = body!.place as { readonly partition: number; readonly offset: number }
    const { entries } = await shop.log.read(TOPIC, partition, offset, 1)
    expect(JSON.parse(Buffer.from(entries[0]!.value).toString())).toEqual(bad)
    expect(passedOver).toEqual([offset])
  })

  test('is not rejected again by a restart or a rebuild, which give the same state', async () => {
    await shop.send(
      event(),
      event({ ...priceless }),
      event(),
      event({ ...priceless }),
      event({ user_id: 'budi' }),
    )
    const before = await picture(shop.live)
    await shop.restart()
    expect(await picture(shop.live)).toEqual(before)
    await shop.live.rebuild()
    expect(await picture(shop.live)).toEqual(before)
    expect(await rejected()).toHaveLength(2)
  })

  test('is found where only storing fails, among thousands', async () => {
    await shop.restart({ state: ofShortKeys(shop.state) })
    const events = Array.from({ length: 2_000 }, (_, i) => event({ user_id: `u${i % 50}`, ts: NOON - i }))
    events[1_234] = event({ product_id: 'P'.repeat(300), user_id: 'u34' })
    await shop.send(...events)
    // First this: what is applied is seen before it is stored, so the total passes through 1,999 with the bad one among them too.
    await expect.poll(rejected, WITHIN).toMatchObject([{ reason: expect.stringContaining('too long') }])
    await expect.poll(() => shop.live.analytics().events_total, WITHIN).toBe(1_999)
    await shop.live.flush()
    expect(await rejected()).toHaveLength(1)
  })
})

test('while the store is away nothing is rejected; work goes on when it is back', async () => {
  let faults = 0
  let failures = 6
  const away = withChanges(shop.state, {
    commit: async (changes) => {
      if (failures-- > 0) throw new RangeError('no room')
      return shop.state.commit(changes)
    },
    getMany: async (keys) => {
      if (failures-- > 0) throw new RangeError('gone')
      return shop.state.getMany(keys)
    },
  })
  await shop.live.stop()
  // The processor makes sure of the stored form first.
  failures = 0
  await shop.start({ state: away, onFault: () => faults++, retryMs: 1 })
  failures = 6
  await shop.send(event(), event({ user_id: 'budi' }))
  expect(faults).toBeGreaterThanOrEqual(6)
  expect(await rejected()).toEqual([])
  expect(shop.live.analytics().events_total).toBe(2)
})

test('a processor that waits for its store stops at once', async () => {
  const dead = withChanges(shop.state, { getMany: async () => Promise.reject(new RangeError('gone')) })
  const { promise: failed, resolve } = Promise.withResolvers<void>()
  await shop.restart({ state: dead, retryMs: HOUR, onFault: () => resolve() })
  await shop.append([event()])
  await failed
  const startedAt = performance.now()
  await shop.live.stop()
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  await shop.start()
  expect(shop.live.analytics().events_total).toBe(1)
})

describe('the watch', () => {
  test('halves, goes to the one that is known, gives it three tries, and grows back', () => {
    const watch = new PoisonWatch(100)
    expect(watch.failed(100, 40)).toEqual({ kind: 'again' })
    expect(watch.limit).toBe(40)
    expect(watch.failed(40, null)).toEqual({ kind: 'again' })
    expect(watch.limit).toBe(20)
    watch.failed(20, 0)
    expect(watch.limit).toBe(1)
    expect([watch.failed(1, 0).kind, watch.failed(1, 0).kind, watch.failed(1, 0).kind]).toEqual([
      'again',
      'again',
      'reject',
    ])
    for (let i = 0; i < 10; i++) watch.succeeded()
    expect(watch.limit).toBe(100)
  })

  test('waits twice as long each time, half a minute at most', () => {
    expect([1, 2, 3, 100].map((attempt) => backoffMs(attempt, 500))).toEqual([500, 1_000, 2_000, 30_000])
  })
})

/** A store that holds keys of at most 200 characters, as another engine might. */
function ofShortKeys(store: StateStore): StateStore {
  return withChanges(store, {
    commit: async (changes) => {
      const long = changes.find(({ key }) => key.length > 200)
      if (long !== undefined) throw new ArusError('STATE_UNSTORABLE', `too long: ${long.key.slice(0, 20)}`)
      return store.commit(changes)
    },
  })
}

test('what live state rejects, and what is no event, is in bronze.rejected_events once, with the reason', async () => {
  const lake = await openTestLake()
  const state = await openLmdbStateStore({ folder: join(lake.folder, 'state') })
  try {
    await lake.send([event(), event({ event_id: 'bad', ...priceless }), event({ event_id: 'x'.repeat(600) })])
    const live = await startLiveProcessor({
      ...shop.options(),
      log: lake.log,
      topic: TEST_TOPICS.events,
      rejectedTopic: TEST_TOPICS.rejected,
      state,
    })
    await lake.flush()
    await live.stop()
    expect(live.analytics().events_total).toBe(1)
    const rows = await lake.rows(
      `SELECT json_extract_string(raw, '$.event_id'), reason, log_topic FROM {bronze.rejected_events} ORDER BY 1`,
    )
    expect(rows).toEqual([
      ['bad', expect.stringContaining('a purchase is worth at most'), 'rejected'],
      ['x'.repeat(600), expect.stringContaining('expected a text as event_id'), 'events'],
    ])
  } finally {
    await state.close()
    await lake.close()
  }
})
