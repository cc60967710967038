import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { event, HOUR, NOON, TestLive } from './test-live.ts'

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

describe('figures', () => {
  test('today is by event time: funnel of distinct shoppers, actions, revenue', async () => {
    await shop.send(
      event({ user_id: 'ani', action: 'view' }),
      event({ user_id: 'ani', action: 'view' }),
      event({ user_id: 'ani', action: 'purchase', price: 10, quantity: 3 }),
      event({ user_id: 'budi', action: 'view' }),
      event({ user_id: 'budi', action: 'view', ts: NOON - 13 * HOUR }),
      event({ user_id: 'cici', action: 'purchase', price: 99, ts: NOON - 300 * HOUR }),
    )
    expect(shop.live.analytics()).toMatchObject({
      funnel: { view: 2, click: 0, add_to_cart: 0, purchase: 1 },
      events_today: 4,
      events_total: 6,
      revenue_today: 30,
      actions: { view: 3, purchase: 1 },
      total_users: 3,
    })
    shop.nowMs += 24 * HOUR
    expect(shop.live.analytics()).toMatchObject({ events_today: 0, funnel: { view: 0 }, events_total: 6 })
  })

  test('both sessions of a shopper stay active over a restart', async () => {
    await shop.send(event({ session_id: 'phone' }), event({ session_id: 'laptop' }))
    expect(shop.live.analytics().active_sessions).toBe(2)
    await shop.restart()
    expect(shop.live.analytics()).toMatchObject({ active_sessions: 2, active_users: 1 })
  })

  test('a late event of another session does not end the session that goes on', async () => {
    await shop.send(event({ ts: NOON - 1_000 }), event({ ts: NOON - 5 * HOUR }), event({ ts: NOON }))
    expect(shop.live.analytics().active_sessions).toBe(1)
  })

  test('a clock that is ahead does not push the present out', async () => {
    await shop.send(event({ ts: NOON + 5 * HOUR }), event({ user_id: 'budi' }), event())
    const { events_per_minute, active_sessions, active_users } = shop.live.analytics()
    expect(events_per_minute.at(-1)?.count).toBe(2)
    expect([active_sessions, active_users]).toEqual([2, 2])
  })

  test('a new day begins at UTC midnight, with what was already sent for it', async () => {
    shop.nowMs = NOON + 12 * HOUR - 1
    await shop.send(
      event({ ts: shop.nowMs, received_at: shop.nowMs }),
      event({ ts: shop.nowMs + 2, received_at: shop.nowMs }),
    )
    expect(shop.live.analytics()).toMatchObject({ events_today: 1, funnel: { view: 1 } })
    shop.nowMs += 1
    expect(shop.live.analytics()).toMatchObject({ events_today: 1, funnel: { view: 1 }, events_total: 2 })
  })

  test('actions that senders make up share a count past the 64th', async () => {
    await shop.send(...Array.from({ length: 70 }, (_, i) => event({ action: `made-up-${i}` })))
    const { actions } = shop.live.analytics()
    expect(Object.keys(actions)).toHaveLength(65)
    expect(actions.other).toBe(6)
  })

  test('a backfill of old events leaves today alone', async () => {
    await shop.send(event())
    await shop.send(
      ...Array.from({ length: 50 }, (_, i) => event({ user_id: `u${i}`, ts: NOON - i * 24 * HOUR })),
    )
    expect(shop.live.analytics().events_today).toBe(2)
    expect(shop.live.analytics().events_per_minute.at(-1)?.count).toBe(2)
  })
})
