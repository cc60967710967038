import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StateStore } from '../state/state-store.ts'
import { openTestState } from '../state/test-state.ts'
import { StateCache } from './state-cache.ts'
import { withChanges } from './test-live.ts'

let folder: string
let state: StateStore
let readCount: number
/** Reads of the store answer when this is resolved, with what they found before. */
let held: Promise<void>
/** The same store, whose reads are counted and held back. */
let store: StateStore

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-cache-'))
  state = await openTestState(folder, { now: Date.now })
  readCount = 0
  held = Promise.resolve()
  store = withChanges(state, {
    getMany: async (keys) => {
      readCount += 1
      const values = await state.getMany(keys)
      await held
      return values
    },
  })
})
afterEach(async () => {
  await state.close()
  rmSync(folder, { recursive: true })
})

async function storedCache(capacity: number): Promise<StateCache<number[]>> {
  await state.commit([{ key: 'n/a', value: [1] }])
  return new StateCache<number[]>('n/', capacity)
}

test('what was read from outside a batch is remembered, and what the store does not have', async () => {
  const cache = await storedCache(10)
  for (let i = 0; i < 3; i++)
    expect([await cache.read(store, 'a'), await cache.read(store, 'b')]).toEqual([[1], undefined])
  expect(await cache.readMany(store, ['b', 'a'])).toEqual([undefined, [1]])
  await cache.load(store, ['a', 'b'])
  expect(readCount).toBe(2)
})

test('a read from outside a batch never takes the place of what a batch needs: there is room, or it is not remembered', async () => {
  const cache = await storedCache(1)
  await cache.load(store, ['x', 'y'])
  await cache.read(store, 'a')
  await cache.read(store, 'a')
  expect(readCount).toBe(3)
  await cache.load(store, ['x', 'y'])
  expect(readCount).toBe(3)
})

test('a read that is slower than a change that was stored and has left memory is not remembered', async () => {
  const cache = await storedCache(2)
  const { promise, resolve } = Promise.withResolvers<void>()
  held = promise
  const slow = cache.read(store, 'a')
  await cache.load(state, ['a'])
  cache.set('a', [2])
  for (const batch of ['bcd', 'efg', 'hij']) {
    await cache.load(state, batch)
    await state.commit(cache.drain(0))
  }
  resolve()
  await slow
  expect(await cache.read(state, 'a')).toEqual([2])
})

test('a read that is slower than a change in memory answers what is in memory', async () => {
  const cache = await storedCache(10)
  const { promise, resolve } = Promise.withResolvers<void>()
  held = promise
  const slow = cache.read(store, 'a')
  await cache.load(state, ['a'])
  cache.set('a', [2])
  resolve()
  expect(await slow).toEqual([2])
})

test('what was read before everything was forgotten is not remembered', async () => {
  const cache = await storedCache(10)
  const { promise, resolve } = Promise.withResolvers<void>()
  held = promise
  const slow = cache.read(store, 'a')
  cache.drop()
  await state.commit([{ key: 'n/a', value: [3] }])
  resolve()
  await slow
  expect(await cache.read(state, 'a')).toEqual([3])
})

test('a value is copied before it is changed in place when it was handed over or came from the store, and only then', async () => {
  const cache = await storedCache(10)
  const copyOf = (value: number[] | undefined) => [...(value ?? [])]
  const read = await cache.read(state, 'a')
  const own = cache.own('a', copyOf)
  own.push(2)
  expect(cache.own('a', copyOf)).toBe(own)
  const [handedOver] = cache.drain(7)
  cache.own('a', copyOf).push(3)
  expect(read).toEqual([1])
  expect(handedOver).toEqual({ key: 'n/a', value: [1, 2], expiresAtMs: 7 })
  expect(cache.get('a')).toEqual([1, 2, 3])
  expect(cache.changeCount).toBe(1)
})

test('what another process has stored is read anew, also where a read was under way', async () => {
  const cache = await storedCache(2)
  expect(await cache.read(store, 'a')).toEqual([1])
  const { promise, resolve } = Promise.withResolvers<void>()
  held = promise
  const slow = cache.read(store, 'b')
  await state.commit([
    { key: 'n/a', value: [2] },
    { key: 'n/b', value: [3] },
  ])
  expect(cache.follow(['n/a', 'other', 'n/b'])).toEqual(['a', 'b'])
  resolve()
  await slow
  expect([await cache.read(store, 'a'), await cache.read(store, 'b')]).toEqual([[2], [3]])
})
