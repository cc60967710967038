import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StateStore } from './state-store.ts'

/** An adapter under test: starts empty, can be opened again on what it holds. */
export interface StateStoreUnderTest {
  open(now: () => number): Promise<StateStore>
  destroy(): Promise<void>
}

/** What every adapter of `StateStore` must do. */
export function stateStoreContract(adapter: string, prepare: () => Promise<StateStoreUnderTest>): void {
  describe(`state store: ${adapter}`, () => {
    let nowMs = 1_000_000
    let under: StateStoreUnderTest
    let store: StateStore
    beforeEach(async () => {
      nowMs = Date.now()
      under = await prepare()
      store = await under.open(() => nowMs)
    })
    afterEach(async () => {
      await store.close()
      await under.destroy()
    })

    test('what is committed is read back, also after opening again', async () => {
      const value = { list: [1, 'two', null], nested: { deep: true }, number: 1.5 }
      await store.commit([
        { key: 'a', value },
        { key: 'b', value: 'text' },
      ])
      expect(await store.getMany(['b', 'none', 'a'])).toEqual(['text', undefined, value])
      await store.close()
      store = await under.open(() => nowMs)
      expect(await store.get('a')).toEqual(value)
    })

    test('later changes of one commit win, and undefined removes', async () => {
      await store.commit([
        { key: 'a', value: 1 },
        { key: 'a', value: 2 },
        { key: 'b', value: 1 },
      ])
      await store.commit([{ key: 'b', value: undefined }])
      expect(await store.getMany(['a', 'b'])).toEqual([2, undefined])
    })

    test('a value past its time is gone, unless it was written again', async () => {
      await store.commit([
        { key: 'a', value: 1, expiresAtMs: nowMs + 1_000 },
        { key: 'b', value: 1, expiresAtMs: nowMs + 1_000 },
      ])
      await store.commit([{ key: 'b', value: 2, expiresAtMs: nowMs + 60_000 }])
      expect(await store.get('a')).toBe(1)
      nowMs += 2_000
      expect(await store.getMany(['a', 'b'])).toEqual([undefined, 2])
    })

    test('scan gives what has the prefix; clear removes just that', async () => {
      await store.commit(['p/1', 'p/2', 'pq', 'q/1'].map((key) => ({ key, value: key })))
      const found = []
      for await (const { key } of store.scan('p/')) found.push(key)
      expect(found.sort()).toEqual(['p/1', 'p/2'])
      await store.clear('p/')
      expect(await store.getMany(['p/1', 'p/2', 'pq', 'q/1'])).toEqual([undefined, undefined, 'pq', 'q/1'])
    })

    test('says when it can no longer answer', async () => {
      expect(await store.isHealthy()).toBe(true)
      await store.close()
      expect(await store.isHealthy()).toBe(false)
    })
  })
}
