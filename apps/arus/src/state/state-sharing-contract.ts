import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StateSharing, StateStore } from './state-store.ts'

/** A store that processes share. */
export type SharedStore = StateStore & { readonly sharing: StateSharing }

/** An adapter under test: starts empty. */
export interface SharedStoreUnderTest {
  /** As a process of that name has it. */
  open(member: string): Promise<SharedStore>
  destroy(): Promise<void>
}

const HEARD_MS_MAX = 5_000
/** Longer than a lease lasts. */
const EXPIRED_MS_MAX = 15_000

/** What every adapter of `StateStore` must do whose store several processes share. */
export function stateSharingContract(adapter: string, prepare: () => Promise<SharedStoreUnderTest>): void {
  describe(`shared state: ${adapter}`, () => {
    let under: SharedStoreUnderTest
    let one: SharedStore
    let two: SharedStore
    beforeEach(async () => {
      under = await prepare()
      one = await under.open('one')
      two = await under.open('two')
    })
    afterEach(async () => {
      await one.close()
      await two.close()
      await under.destroy()
    })

    test('one leads until it resigns, of which others are told', async () => {
      expect([await one.sharing.lead(), await two.sharing.lead(), await one.sharing.lead()]).toEqual([
        true,
        false,
        true,
      ])
      await two.sharing.resign()
      expect(await two.sharing.lead()).toBe(false)
      const heard: (readonly string[] | null)[] = []
      const unwatch = await two.sharing.watch((keys) => heard.push(keys))
      await one.sharing.resign()
      await expect.poll(() => heard, { timeout: HEARD_MS_MAX }).toEqual([[]])
      expect(await two.sharing.lead()).toBe(true)
      expect(await one.sharing.lead()).toBe(false)
      unwatch()
    })

    test('who leads is taken over from by force, and commits nothing more', async () => {
      await one.sharing.lead()
      await one.commit([{ key: 'a', value: 1 }])
      expect(await two.sharing.lead({ force: true })).toBe(true)
      const late = one.commit([{ key: 'a', value: 2 }])
      await expect(late).rejects.toMatchObject({ code: 'STATE_MOVED' })
      // Nor after it has looked at the store again.
      expect(await one.get('a')).toBe(1)
      await expect(one.commit([{ key: 'a', value: 3 }])).rejects.toMatchObject({ code: 'STATE_MOVED' })
      await two.commit([{ key: 'b', value: 4 }])
      expect(await two.getMany(['a', 'b'])).toEqual([1, 4])
      expect(await one.sharing.lead()).toBe(false)
    })

    test('a commit under way when another takes the lead is there by then, or never', async () => {
      for (let i = 0; i < 20; i++) {
        await one.sharing.lead({ force: true })
        const outcome = one.commit([{ key: 'a', value: i }]).then(
          () => true,
          () => false,
        )
        await two.sharing.lead({ force: true })
        const seen = await two.get('a')
        expect(await outcome).toBe(seen === i)
        expect(await two.get('a')).toEqual(seen)
      }
    })

    test('whoever watches hears the keys of each commit, in order', async () => {
      await one.sharing.lead()
      const heard: (readonly string[] | null)[] = []
      const unwatch = await two.sharing.watch((keys) => heard.push(keys))
      await one.commit([
        { key: 'a', value: 1 },
        { key: 'b', value: 1 },
      ])
      await one.commit([{ key: 'a', value: undefined }])
      await expect.poll(() => heard, { timeout: HEARD_MS_MAX }).toEqual([['a', 'b'], ['a']])
      expect(one.sharing.followerCount).toBeGreaterThan(0)
      unwatch()
    })

    test('who was restarted leads again at once, another when the lease has run out', async () => {
      await one.sharing.lead()
      const again = await under.open('one')
      expect(await again.sharing.lead()).toBe(true)
      await again.close()
      expect(await two.sharing.lead()).toBe(false)
      await expect.poll(() => two.sharing.lead(), { timeout: EXPIRED_MS_MAX, interval: 200 }).toBe(true)
    })
  })
}
