import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { event, NOON, TestLive, TOPIC } from './test-live.ts'

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

describe('history and sessions', () => {
  test('newest first by event time, with the place in the log', async () => {
    await shop.send(event({ product_id: 'P1', ts: NOON - 2_000 }), event({ product_id: 'P3', ts: NOON }))
    await shop.send(event({ product_id: 'P2', ts: NOON - 1_000, action: 'click' }))
    const history = await shop.live.history('ani')
    expect(history.map((item) => item.product_id)).toEqual(['P3', 'P2', 'P1'])
    const { entries } = await shop.log.read(TOPIC, history[1]!.partition, history[1]!.offset, 1)
    expect(JSON.parse(Buffer.from(entries[0]!.value).toString())).toMatchObject({
      product_id: 'P2',
      action: 'click',
    })
    expect(await shop.live.history('nobody')).toEqual([])
  })

  test('history is bounded, a given session has its own', async () => {
    await shop.send(
      ...Array.from({ length: 130 }, (_, i) =>
        event({ product_id: `P${i}`, ts: NOON + i, session_id: 's1' }),
      ),
    )
    expect(await shop.live.history('ani')).toHaveLength(100)
    expect((await shop.live.session('s1')).map((item) => item.product_id).slice(0, 2)).toEqual([
      'P129',
      'P128',
    ])
    const session = await shop.live.session('s1')
    expect(session).toHaveLength(50)
    expect(await shop.live.session('s1'), 'the same until something is done').toBe(session)
    await shop.send(event({ product_id: 'P999', ts: NOON + 999, session_id: 's1' }))
    expect((await shop.live.session('s1'))[0]?.product_id).toBe('P999')
  })

  test('a session ends after half an hour of silence', async () => {
    await shop.send(event({ user_id: 'ani' }), event({ user_id: 'budi', session_id: 'b' }))
    expect(shop.live.analytics()).toMatchObject({ active_sessions: 2, active_users: 2, total_users: 2 })
    shop.nowMs += 31 * 60_000
    expect(shop.live.analytics()).toMatchObject({ active_sessions: 0, active_users: 0, total_users: 2 })
  })
})
