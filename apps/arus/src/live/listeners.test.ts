import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { event, TestLive } from './test-live.ts'

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

describe('listeners and forgetting', () => {
  test('a shopper’s change is told at once; the event is visible within milliseconds', async () => {
    const changed = new Promise<void>((resolve) => shop.live.onShopperChange('ani', resolve))
    const startedAt = performance.now()
    await shop.append([event()])
    await changed
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(await shop.live.history('ani')).toHaveLength(1)
  })

  test('a forgotten shopper has no history and no session, and is taken out of the totals', async () => {
    await shop.send(
      event({ session_id: 's' }),
      event({ session_id: 's', action: 'search', product_id: null }),
      event({ user_id: 'budi' }),
    )
    expect(await shop.live.forget('ani')).toBe(1)
    expect(await shop.live.history('ani')).toEqual([])
    expect(await shop.live.session('s')).toEqual([])
    const expected = { total_users: 1, active_sessions: 1, events_total: 1, funnel: { view: 1 } }
    expect(shop.live.analytics()).toMatchObject(expected)
    expect(shop.live.analytics().recent_events.every((recent) => recent.user_id === 'budi')).toBe(true)
    expect(await shop.live.forget('nobody')).toBe(0)
    await shop.restart()
    expect(shop.live.analytics()).toMatchObject(expected)
  })

  test('waiting for what does not come ends with the time-out', async () => {
    await shop.send(event())
    expect(await shop.live.waitFor(0, 1_000_000, 5)).toBe(false)
  })

  test('changes are told at most once an interval, and the last one is not left out', async () => {
    let told = 0
    const stop = shop.live.onChange(() => {
      told += 1
    }, 40)
    for (let i = 0; i < 10; i++) await shop.send(event())
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
        const [place] = await shop.append([event({ user_id: `u${i}` })])
        const acknowledgedAt = performance.now()
        expect(await shop.live.waitFor(place!.partition, place!.offset, 60_000)).toBe(true)
        latencies.push(performance.now() - acknowledgedAt)
      })
      await Promise.all(sent)
    }
    latencies.sort((a, b) => a - b)
    expect(latencies[Math.floor(latencies.length * 0.99)]).toBeLessThan(250)
  })
})
