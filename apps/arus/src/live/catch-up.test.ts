import { afterEach, beforeEach, expect, test } from 'vitest'
import { rebuildLiveState } from './live-processor.ts'
import { event, TestLive, withChanges } from './test-live.ts'

const EVENTS = 3_000

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
})
afterEach(() => shop.close())

/** All by one shopper, so in one partition. */
const events = () => Array.from({ length: EVENTS }, () => event())

/** A store that answers nothing of events until it is let, with the most of them it was asked for at once. */
function heldStore() {
  const { promise: let_, resolve: release } = Promise.withResolvers<void>()
  const asked = { largest: 0 }
  const state = withChanges(shop.state, {
    getMany: async (keys) => {
      await let_
      if (keys[0]?.startsWith('live/seen/')) asked.largest = Math.max(asked.largest, keys.length)
      return shop.state.getMany(keys)
    },
  })
  return { state, release, asked }
}

test('a start that gives up waiting says so, goes on in large batches until it has caught up, and in small ones then', async () => {
  await shop.live.stop()
  await shop.append(events())
  const faults: unknown[] = []
  const { state, release, asked } = heldStore()
  await shop.start({ state, catchUpMsMax: 20, onFault: (error) => faults.push(error) })
  expect(faults).toEqual([
    expect.objectContaining({ code: 'NOT_READY', message: expect.stringContaining('3000 entries') }),
  ])
  release()
  await shop.send(event())
  expect(shop.live.analytics().events_total).toBe(EVENTS + 1)
  expect(asked.largest).toBeGreaterThan(2_000)
  asked.largest = 0
  await shop.send(...events())
  expect(shop.live.analytics().events_total).toBe(2 * EVENTS + 1)
  expect(asked.largest).toBeLessThanOrEqual(1_000)
  expect(faults).toHaveLength(1)
})

test('a rebuild says how far it is and answers only once it has caught up', async () => {
  await shop.live.stop()
  await shop.append(events())
  let faultCount = 0
  const { state, release } = heldStore()
  const onFault = () => {
    faultCount += 1
    if (faultCount === 3) release()
  }
  const figures = await rebuildLiveState({ ...shop.options(), state, catchUpMsMax: 20, onFault })
  expect(figures.events_total).toBe(EVENTS)
  expect(faultCount).toBeGreaterThanOrEqual(3)
})
