import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LIVE_GROUP } from './live-processor.ts'
import { event, TestLive, withChanges } from './test-live.ts'

const EVENTS = 30_000
const BATCH = 1_000

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

test('a consumer slower than its producers says how far behind it is, holds little, and counts each event once', async () => {
  let largest = 0
  const slow = withChanges(shop.state, {
    commit: async (changes) => {
      largest = Math.max(largest, changes.length)
      await sleep(300)
      return shop.state.commit(changes)
    },
  })
  await shop.restart({ state: slow })
  await shop.send(event())
  // The first offsets the log is told of: from here on it knows the group.
  await expect.poll(() => lagOf(), { timeout: 10_000 }).toEqual({ lag: 0, lagMs: 0 })
  for (let at = 0; at < EVENTS; at += BATCH) {
    const events = Array.from({ length: BATCH }, (_, i) =>
      event({ user_id: `u${(at + i) % 500}`, product_id: `P${i % 90}` }),
    )
    await shop.append(events)
  }
  shop.nowMs += 5_000
  const behind = await lagOf()
  expect(behind.lag).toBeGreaterThan(1_000)
  expect(behind.lagMs).toBe(5_000)
  for (const { partition, endOffset } of (await shop.log.topic('events')).partitions)
    expect(await shop.live.waitFor(partition, endOffset - 1, 60_000)).toBe(true)
  expect(shop.live.analytics()).toMatchObject({ events_total: EVENTS + 1, total_users: 501 })
  // One commit holds what one batch changed, however much waits.
  expect(largest).toBeLessThan(20_000)
  await expect.poll(() => lagOf(), { timeout: 10_000 }).toEqual({ lag: 0, lagMs: 0 })
})

async function lagOf() {
  const group = (await shop.log.groups()).find((known) => known.group === LIVE_GROUP)
  const partitions = group?.partitions ?? []
  return {
    lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
    lagMs: Math.max(0, ...partitions.map(({ lagMs }) => lagMs)),
  }
}
