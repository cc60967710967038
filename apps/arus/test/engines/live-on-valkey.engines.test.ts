import { cpSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLiveProcessor } from '../../src/live/live-processor.ts'
import { picture, storedIn, TestLive, withChanges } from '../../src/live/test-live.ts'
import { openValkeyStateStore } from '../../src/state/valkey-state-store.ts'
import { distinctOf, eventsOf } from './test-events.ts'
import { ownValkey } from './valkey-server.ts'

/** The tests of exactly once, unchanged, on Valkey: `TestLive` has one where this is set. */
describe('on Valkey', () => {
  beforeAll(() => {
    process.env.ARUS_TEST_REDIS_URL = process.env.REDIS_URL
  })
  afterAll(() => {
    delete process.env.ARUS_TEST_REDIS_URL
  })
  describe('live state', () => import('../../src/live/exactly-once.test.ts').then(() => {}))
})

/** Told by the commit that finds the store elsewhere, or by one under which the connection broke: then it is read anew before the next. */
const LOST = /^(STATE_MOVED|ENGINE_UNREACHABLE)$/

/**
 * Appends while a processor on Valkey works, with something done to the server before certain commits; what comes of it is what
 * a processor on LMDB makes of the same log, to the value.
 */
async function appendedWith(
  commits: Readonly<Record<number, (server: Awaited<ReturnType<typeof ownValkey>>) => unknown>>,
): Promise<unknown[]> {
  await using server = await ownValkey()
  const shop = await TestLive.open()
  const store = await openValkeyStateStore({ url: server.url, shop: 'shop', now: () => shop.nowMs })
  const faults: unknown[] = []
  const isFault = (error: unknown) => void faults.push((error as { code?: unknown }).code)
  let count = 0
  const live = await startLiveProcessor({
    ...shop.options(),
    state: withChanges(store, {
      commit: async (changes) => {
        await commits[count++]?.(server)
        return store.commit(changes)
      },
    }),
    onFault: isFault,
  })
  for (let round = 0; round < 30; round++) {
    const places = await shop.append(eventsOf(round))
    // Ten times a second would be too few commits for all that is to happen between them.
    await live.flush().catch(isFault)
    if (round % 2 === 1)
      for (const { partition, offset } of places) await live.waitFor(partition, offset, 60_000)
  }
  const { partitions } = await shop.log.topic('events')
  for (const { partition, endOffset } of partitions) {
    expect(await live.waitFor(partition, endOffset - 1, 60_000)).toBe(true)
    expect(await shop.live.waitFor(partition, endOffset - 1, 60_000)).toBe(true)
  }
  expect(count).toBeGreaterThan(Math.max(...Object.keys(commits).map(Number)))
  expect(await picture(live)).toEqual(await picture(shop.live))
  expect(live.analytics().events_total).toBe(distinctOf(30))
  await live.stop()
  await shop.live.stop()
  const onValkey = await openValkeyStateStore({ url: server.url, shop: 'shop', now: () => shop.nowMs })
  expect(await storedIn(onValkey)).toEqual(await storedIn(shop.state))
  await Promise.all([store.close(), onValkey.close()])
  await shop.close()
  return faults
}

describe('a Valkey that is lost under load', () => {
  test('killed and started again: every event counts once', async () => {
    const kill = async (server: { kill(): Promise<void>; start(): Promise<void> }) => {
      await server.kill()
      void server.start()
    }
    const faults = await appendedWith({ 5: kill, 9: kill, 14: kill, 15: kill })
    expect(faults).toContain('ENGINE_UNREACHABLE')
  })

  test('back without its last writes, as after a failover: state and offsets went back together and catch up', async () => {
    let copy = ''
    const keep = (server: { readonly folder: string }) => {
      copy = `${server.folder}-earlier`
      cpSync(server.folder, copy, { recursive: true })
    }
    const lose = async (server: {
      readonly folder: string
      kill(): Promise<void>
      start(): Promise<void>
    }) => {
      await server.kill()
      rmSync(server.folder, { recursive: true })
      cpSync(copy, server.folder, { recursive: true })
      await server.start()
    }
    const faults = await appendedWith({ 4: keep, 9: lose })
    expect(faults).toEqual(expect.arrayContaining([expect.stringMatching(LOST)]))
  })

  test('back with nothing: all is counted again from the log', async () => {
    const faults = await appendedWith({
      9: async (server) => {
        await server.kill()
        rmSync(server.folder, { recursive: true })
        await server.start()
      },
    })
    expect(faults).toEqual(expect.arrayContaining([expect.stringMatching(LOST)]))
  })
})
