import fc from 'fast-check'
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

    test('a commit of which one change cannot be stored changes nothing, now or later', async () => {
      await store.commit([{ key: 'a', value: 1 }])
      const changes = [
        { key: 'a', value: 2 },
        { key: 'b', value: 2 },
        { key: 'c', value: 2n ** 80n },
      ]
      const unstorable = expect.objectContaining({ code: 'STATE_UNSTORABLE' })
      await expect(store.commit(changes)).rejects.toThrow(unstorable)
      await expect(
        store.commit([
          { key: 'a', value: 2 },
          { key: 'x'.repeat(5_000), value: 2 },
        ]),
      ).rejects.toThrow(unstorable)
      expect(await store.getMany(['x'.repeat(5_000)])).toEqual([undefined])
      await store.commit([{ key: 'd', value: 1 }])
      expect(await store.getMany(['a', 'b', 'c', 'd'])).toEqual([1, undefined, undefined, 1])
    })

    test('commits made at the same time are applied in their order, however large', async () => {
      const many = Array.from({ length: 5_000 }, (_, i) => ({ key: `many/${i}`, value: 'x'.repeat(200) }))
      const commits = Array.from({ length: 50 }, (_, i) =>
        store.commit([{ key: 'a', value: i }, ...(i % 20 === 8 ? many : []), { key: `k${i}`, value: i }]),
      )
      const [at8] = await Promise.all([commits[8]!.then(() => store.get('a')), ...commits])
      expect(Number(at8)).toBeGreaterThanOrEqual(8)
      await Promise.all(commits)
      expect(await store.get('a')).toBe(49)
      expect(await store.getMany(['k0', 'k49'])).toEqual([0, 49])
    })

    test('any JSON value under any key comes back, as in a map', async () => {
      const key = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).map((text) => `m/${text}`)
      const json = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('"__proto__"'))
      const change = fc.record({ key, value: fc.option(json, { nil: undefined, freq: 4 }) })
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 6 }), async (commits) => {
          await store.clear('m/')
          const expected = new Map<string, unknown>()
          for (const changes of commits) {
            await store.commit(changes)
            for (const { key, value } of changes) {
              if (value === undefined) expected.delete(key)
              // As JSON writes it: -0 is 0.
              else expected.set(key, JSON.parse(JSON.stringify(value)))
            }
          }
          const found = new Map<string, unknown>()
          for await (const { key, value } of store.scan('m/')) found.set(key, value)
          expect(found).toEqual(expected)
        }),
        { numRuns: 30 },
      )
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

    test('what is erased is gone, also after opening again; commits and reads meanwhile lose nothing', async () => {
      const keys = Array.from({ length: 5_000 }, (_, i) => `e/${i}`)
      await store.commit(keys.map((key) => ({ key, value: key, expiresAtMs: nowMs + 20_000 })))
      const erased = store.erase((key) => key.endsWith('7'))
      const committed = store.commit([{ key: 'meanwhile', value: 1 }])
      const reads = Array.from({ length: 200 }, async () => {
        await new Promise((resolve) => setImmediate(resolve))
        return store.get('e/8')
      })
      expect(new Set(await Promise.all(reads))).toEqual(new Set(['e/8']))
      expect(await erased).toBe(500)
      await committed
      for (const isOpenedAgain of [false, true]) {
        if (isOpenedAgain) {
          await store.close()
          store = await under.open(() => nowMs)
        }
        expect(await store.getMany(['e/7', 'e/8', 'meanwhile'])).toEqual([undefined, 'e/8', 1])
        let count = 0
        for await (const _ of store.scan('e/')) count += 1
        expect(count).toBe(4_500)
      }
      nowMs += 21_000
      expect(await store.get('e/8')).toBeUndefined()
    })

    test('says when it can no longer answer', async () => {
      expect(await store.isHealthy()).toBe(true)
      await store.close()
      expect(await store.isHealthy()).toBe(false)
    })
  })
}
