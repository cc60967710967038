import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StateChange } from '../state/state-store.ts'
import { DEFAULT_STORE_PACE } from './store-pace.ts'
import { OFFSET_PREFIX } from './stored-form.ts'
import { event, picture, storedState, TestLive, withChanges } from './test-live.ts'

let shop: TestLive
beforeEach(async () => {
  shop = await TestLive.open()
  // So that the first batch of a processor is stored at once.
  shop.pass(1_000)
})
afterEach(() => shop.close())

/** A store whose first commit waits for `letGo`, and fails where that is given an error. */
function waitingOnce() {
  const begun = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<Error | null>()
  const handed: { asHanded: StateChange[]; asStored: readonly StateChange[] }[] = []
  let isFirst = true
  const state = withChanges(shop.state, {
    commit: async (changes) => {
      if (isFirst) {
        isFirst = false
        const asHanded = structuredClone([...changes])
        begun.resolve()
        const error = await gate.promise
        handed.push({ asHanded, asStored: changes })
        if (error !== null) throw error
      }
      await shop.state.commit(changes)
    },
  })
  return { state, handed, begun: begun.promise, letGo: gate.resolve }
}

const visit = (event_id: string, product_id: string, action = 'view') =>
  event({ event_id, product_id, action, price: 2 })

test('what is applied while a commit is under way is seen at once, and does not change what that commit stores', async () => {
  const slow = waitingOnce()
  await shop.restart({ state: slow.state })
  await shop.send(visit('a', 'P1'), visit('b', 'P2'))
  await slow.begun
  await shop.send(visit('c', 'P1', 'purchase'), visit('d', 'P3'), visit('a', 'P1'))
  expect(shop.live.analytics()).toMatchObject({ events_total: 4, revenue_today: 2 })
  slow.letGo(null)
  await shop.live.flush()
  expect(slow.handed).toHaveLength(1)
  for (const { asHanded, asStored } of slow.handed) expect(asStored).toEqual(asHanded)
  await isAsRebuilt()
})

test('what comes while a pause is used to store waits for no disk, and is stored as well', async () => {
  const slow = waitingOnce()
  // Nothing is due for a while: it is stored because nothing came for a moment.
  await shop.restart({ state: slow.state, pace: { ...DEFAULT_STORE_PACE, msMin: 5, msMax: 1_000_000 } })
  shop.pass(10)
  await shop.send(visit('a', 'P1'))
  await slow.begun
  await shop.send(visit('b', 'P2'))
  await shop.send(visit('c', 'P3'))
  expect(shop.live.analytics()).toMatchObject({ events_total: 3 })
  slow.letGo(null)
  await vi.waitFor(async () => expect(await storedOffsets()).toBe(3))
  await isAsRebuilt()
})

test('a commit that fails in a pause is made again, though nothing more comes', async () => {
  const failing = waitingOnce()
  await shop.restart({ state: failing.state, pace: { ...DEFAULT_STORE_PACE, msMin: 5, msMax: 1_000_000 } })
  shop.pass(10)
  await shop.send(visit('a', 'P1'))
  await failing.begun
  failing.letGo(new Error('no room just now'))
  await vi.waitFor(async () => expect(await storedOffsets()).toBe(1))
  await isAsRebuilt()
})

test('when a commit fails after more was applied, all of it is applied again, once', async () => {
  const failing = waitingOnce()
  await shop.restart({ state: failing.state })
  await shop.send(visit('a', 'P1'), visit('b', 'P2'))
  await failing.begun
  await shop.send(visit('c', 'P1', 'purchase'))
  failing.letGo(new Error('no room just now'))
  await shop.send(visit('b', 'P2'), visit('d', 'P3'))
  expect(shop.live.analytics()).toMatchObject({ events_total: 4, total_users: 1, revenue_today: 2 })
  await isAsRebuilt()
})

test('when a commit fails while a part is being applied, none is begun on top of it', async () => {
  const failing = waitingOnce()
  const asked = Promise.withResolvers<void>()
  let gate: Promise<void> | null = null
  const state = withChanges(failing.state, {
    getMany: async (keys) => {
      if (gate !== null) asked.resolve()
      await gate
      return shop.state.getMany(keys)
    },
  })
  await shop.restart({ state })
  await shop.send(visit('a', 'P1'), visit('b', 'P2'))
  await failing.begun
  const open = Promise.withResolvers<void>()
  gate = open.promise
  const [position] = await shop.append([event({ event_id: 'c', user_id: 'budi', product_id: 'P3' })])
  await asked.promise
  failing.letGo(new Error('no room just now'))
  await setImmediate()
  shop.pass(1_000)
  open.resolve()
  expect(await shop.live.waitFor(position!.partition, position!.offset, 60_000)).toBe(true)
  await shop.send(visit('d', 'P1'))
  expect(await shop.live.history('ani')).toHaveLength(3)
  expect(await shop.live.isKnown(['a', 'b', 'c', 'd'])).toEqual([true, true, true, true])
  await isAsRebuilt()
})

test('a shopper can be forgotten while a commit is under way, or when it failed', async () => {
  for (const error of [null, new Error('no room just now')]) {
    const slow = waitingOnce()
    await shop.restart({ state: slow.state })
    await shop.send(event({ user_id: 'ani' }), event({ user_id: 'budi' }))
    await slow.begun
    const forgotten = shop.live.forget('ani')
    slow.letGo(error)
    await forgotten
    await shop.send(event({ user_id: 'budi' }))
    expect(await shop.live.shopper('budi')).not.toBeNull()
  }
  expect(await shop.live.shopper('budi')).toMatchObject({ events: 4 })
})

/** How many entries the store stands for. */
async function storedOffsets(): Promise<number> {
  const offsets = await shop.state.getMany([0, 1, 2, 3].map((partition) => OFFSET_PREFIX + partition))
  return offsets.reduce<number>((sum, offset) => sum + ((offset as number | undefined) ?? 0), 0)
}

async function isAsRebuilt(): Promise<void> {
  await shop.restart()
  const stepwise = await picture(shop.live)
  const stored = await storedState(shop)
  await shop.live.rebuild()
  expect(await picture(shop.live)).toEqual(stepwise)
  expect(await storedState(shop)).toEqual(stored)
}
