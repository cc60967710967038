import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rebuildLiveState } from './live-processor.ts'
import {
  event,
  failingOnce,
  HOUR,
  NOON,
  picture,
  storedState,
  TestLive,
  TOPIC,
  withChanges,
} from './test-live.ts'

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

describe('exactly once', () => {
  test('an event_id counts once, in one batch, in two, and after a restart', async () => {
    const one = event({ event_id: 'same' })
    await shop.send(one, one)
    await shop.send(one)
    await shop.restart()
    await shop.send(one)
    expect(shop.live.analytics().events_total).toBe(1)
    expect(await shop.live.history('ani')).toHaveLength(1)
    expect(await shop.live.isKnown(['same', 'other'])).toEqual([true, false])
    shop.nowMs += 25 * HOUR
    expect(await shop.live.isKnown(['same'])).toEqual([false])
  })

  test('restarts and failed commits at any point give the state of a rebuild, to the value, and the right figures', async () => {
    const one = fc.record({
      event_id: fc.integer({ min: 0, max: 40 }).map((n) => `e${n}`),
      action: fc.constantFrom('view', 'click', 'purchase'),
      product_id: fc.constantFrom('P1', 'P2', 'P3'),
      ts: fc.integer({ min: 0, max: 40 * HOUR }).map((ago) => NOON - ago),
      session_id: fc.constantFrom(null, null, 's1', 's2'),
      price: fc.constantFrom(null, 0.1, 19.99, 1 / 3),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(one, { maxLength: 9 }), fc.boolean(), fc.boolean()), {
          minLength: 1,
          maxLength: 5,
        }),
        async (rounds) => {
          await shop.close()
          shop = await TestLive.open({ categoryOf })
          for (const [events, restarts, fails] of rounds) {
            if (fails) await shop.restart({ state: failingOnce(shop.state), categoryOf })
            await shop.send(
              ...events.map((fields) => event({ ...fields, user_id: ownerOf(fields.event_id) })),
            )
            if (restarts) await shop.restart({ categoryOf })
          }
          await shop.restart({ categoryOf })
          const stepwise = await picture(shop.live)
          expect(stepwise).toMatchObject(plainPicture(rounds.flatMap(([events]) => events)))
          const stored = await storedState(shop)
          await shop.live.rebuild()
          expect(await picture(shop.live)).toEqual(stepwise)
          expect(await storedState(shop)).toEqual(stored)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('a rebuild at another time, of ids that came again past the window, gives the same state', async () => {
    await shop.send(event({ event_id: 'same' }))
    shop.nowMs += 25 * HOUR
    await shop.send(event({ event_id: 'same', received_at: shop.nowMs, ts: shop.nowMs }))
    await shop.send(event({ event_id: 'same', received_at: shop.nowMs, ts: shop.nowMs }))
    expect(shop.live.analytics().events_total).toBe(2)
    const before = await picture(shop.live)
    await shop.live.rebuild()
    expect(await picture(shop.live)).toEqual(before)
  })

  test('a rebuild that was cut short while clearing is begun again at the next start', async () => {
    await shop.send(event({ event_id: 'a' }), event({ event_id: 'b', user_id: 'budi' }))
    const before = await picture(shop.live)
    await shop.live.stop()
    const dying = withChanges(shop.state, {
      clear: async () => {
        await shop.state.commit(['live/figures', 'live/offset/0', 'live/offset/1'].map(removed))
        throw new RangeError('killed')
      },
    })
    await shop.start({ state: dying })
    await expect(shop.live.rebuild()).rejects.toThrow('killed')
    await shop.start()
    expect(await picture(shop.live)).toEqual(before)
  })

  test('what is being forgotten while a batch fails is not counted twice', async () => {
    await shop.send(event({ user_id: 'ani' }), event({ user_id: 'budi' }))
    await shop.restart({ state: failingOnce(shop.state) })
    const positions = await shop.append([event({ user_id: 'budi' })])
    const forgotten = shop.live.forget('ani').catch(() => shop.live.forget('ani'))
    for (const { partition, offset } of positions) await shop.live.waitFor(partition, offset, 60_000)
    await forgotten
    // By then a batch may have been taken back, to be applied again.
    const figures = { total_users: 1, events_total: 2, events_today: 3 }
    await expect.poll(() => shop.live.analytics()).toMatchObject(figures)
  })

  test('what is no event is passed over and told', async () => {
    const poison: number[] = []
    await shop.restart({ onPoison: (_, offset) => poison.push(offset) })
    const bodies = [
      'no json',
      '{}',
      'null',
      '[]',
      JSON.stringify({ ...event(), user_id: { id: 1 } }),
      JSON.stringify({ ...event(), event_id: 'x'.repeat(10_000) }),
      JSON.stringify({ ...event(), ts: 'now' }),
      JSON.stringify({ ...event(), user_id: null }),
      // Deeper than any stack: neither MessagePack nor JSON.stringify can write it.
      JSON.stringify(event()).replace(/}$/, `,"properties":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
    ]
    await shop.log.append(
      TOPIC,
      bodies.map((value) => ({ key: 'ani', value: Buffer.from(value), timestampMs: NOON })),
    )
    await shop.send(event())
    expect(poison).toHaveLength(bodies.length)
    expect(shop.live.analytics().events_total).toBe(1)
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

/** P3 is in no category. */
function categoryOf(productId: string): string | null {
  return productId === 'P3' ? null : `Category of ${productId}`
}

function removed(key: string) {
  return { key, value: undefined }
}

test('live state made anew by itself, as the command does it, is that of the server', async () => {
  await shop.send(
    ...Array.from({ length: 400 }, (_, i) =>
      event({ user_id: `u${i % 9}`, product_id: `P${i % 5}`, ts: NOON - ((i * 7919) % 300) * 60_000 }),
    ),
  )
  const stored = await storedState(shop)
  await shop.live.stop()
  const figures = await rebuildLiveState(shop.options())
  expect(figures).toMatchObject({ events_total: 400, total_users: 9 })
  expect(await storedState(shop)).toEqual(stored)
  await shop.start()
})

test('state of another log, which was longer, is not taken for that of this one', async () => {
  await shop.send(event(), event(), event())
  await shop.live.stop()
  await shop.log.close()
  rmSync(join(shop.folder, 'log'), { recursive: true })
  await shop.openLog()
  await shop.start()
  expect(shop.live.analytics().events_total).toBe(0)
  await shop.send(event())
  expect(shop.live.analytics().events_total).toBe(1)
})
