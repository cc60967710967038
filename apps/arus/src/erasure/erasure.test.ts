import { join } from 'node:path'
import type { EventLog } from '@arus/event-log'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ArusDatabase } from '../database/database.ts'
import { openTestDatabase, type TestDatabase } from '../database/test-database.ts'
import { openRegistry } from '../registry/lake-registry.ts'
import { type ErasureParts, eraseShopper } from './erase-shopper.ts'
import type { ErasureReport } from './erasure.ts'
import { ErasureStore } from './erasure-store.ts'
import { ErasureWorker } from './erasure-worker.ts'

const NOW = Date.UTC(2026, 2, 10)
const REPORT: ErasureReport = {
  otherNames: 0,
  removed: { 'live state': 1 },
  remains: [],
  outdatedModels: [],
  modelInService: null,
}

let under: TestDatabase
let database: ArusDatabase
let store: ErasureStore
let nowMs = NOW
beforeEach(async () => {
  under = await openTestDatabase()
  database = await under.open()
  nowMs = NOW
  store = new ErasureStore({ database, now: () => nowMs })
})
afterEach(() => under.close())

describe('requests', () => {
  test('one waits for a shopper however often it is asked; once done, who it was stands in no file', async () => {
    const id = await store.request('ani-secret')
    expect(await store.request('ani-secret')).toBe(id)
    const names = { id: 'ani-secret', anonymousIds: ['visitor-secret'], sessions: ['session-secret'] }
    await store.keep(id, { shopper: 'ani-secret', names, removed: { log: 3 }, remains: [] }, NOW)
    await store.keep(id, { shopper: 'ani-secret', names, removed: { log: 4 }, remains: [] }, null)
    expect(await store.pending()).toMatchObject([{ id, work: { removed: { log: 4 } }, report: null }])
    expect(await under.holds('ani-secret')).toBe(true)
    await store.finish(id, REPORT)
    expect(await store.get(id)).toMatchObject({ work: null, report: REPORT, finishedAt: NOW })
    expect(await store.pending()).toEqual([])
    await database.destroy()
    for (const name of ['ani-secret', 'visitor-secret', 'session-secret'])
      expect([name, await under.holds(name)]).toEqual([name, false])
  })

  test('a model is outdated when it was trained between the first event and the erasure; rollback passes it over', async () => {
    const registry = openRegistry({ database, folder: join(under.folder, 'models') })
    const trained = (trained_at: number) =>
      registry.register(
        {
          kind: 'walk',
          metrics: {},
          params: {},
          table_versions: {},
          user_count: 1,
          product_count: 1,
          interaction_count: 1,
          trained_at,
          reason: '',
        },
        [Uint8Array.of(trained_at % 251)],
      )
    for (const at of [NOW - 10, NOW, NOW + 10, NOW + 21]) {
      const { version } = await trained(at)
      await registry.promote(version, 'next')
    }
    const id = await store.request('ani')
    await store.keep(id, { shopper: 'ani', names: null, removed: {}, remains: [] }, NOW)
    const outdated = async () => (await registry.list()).map((model) => model.outdated)
    expect(await outdated()).toEqual([true, true, true, false])
    nowMs = NOW + 20
    await store.finish(id, REPORT)
    expect(await outdated()).toEqual([false, true, true, false])
    expect((await registry.rollback()).version).toBe(1)
  })
})

describe('the worker', () => {
  test('carries out what others asked for, one after the other, and tries again what failed', async () => {
    const done: string[] = []
    let failures = 1
    const worker = new ErasureWorker({
      store,
      retryMs: 0,
      carryOut: async ({ work }) => {
        if (work?.shopper === 'budi' && failures-- > 0) throw new RangeError('the lake is away')
        done.push(work?.shopper ?? '')
        return REPORT
      },
    })
    await store.request('budi')
    await store.request('citra')
    await expect(worker.forget('budi')).rejects.toThrow('the lake is away')
    expect((await store.pending()).map(({ failure }) => failure)).toEqual(['the lake is away'])
    expect(await worker.forget('budi')).toEqual(REPORT)
    expect(done).toEqual(['citra', 'budi'])
    await worker.stop()
    await expect(worker.forget('dewi')).rejects.toMatchObject({ code: 'NOT_READY' })
    expect(await store.pending()).toHaveLength(1)
  })

  test('of two processes the one that is due carries it out, the other waits for it', async () => {
    let isLeader = false
    let isAway = true
    const follower = new ErasureWorker({
      store,
      isDue: () => false,
      carryOut: () => expect.fail('another does it'),
    })
    const leader = new ErasureWorker({
      store,
      intervalMs: 5,
      retryMs: 5,
      isDue: () => isLeader,
      carryOut: async () => {
        if (isAway) throw new RangeError('the lake is away')
        return REPORT
      },
    })
    follower.start()
    leader.start()
    const forgotten = follower.forget('budi')
    await expect.poll(async () => (await store.pending()).length).toBe(1)
    isLeader = true
    await expect(forgotten).rejects.toThrow('the lake is away')
    isAway = false
    expect(await follower.forget('budi')).toEqual(REPORT)
    await Promise.all([follower.stop(), leader.stop()])
  })

  test('one that was cut short after its report only has its last step left', async () => {
    const id = await store.request('ani')
    await database
      .updateTable('erasures')
      .set({ work: null, report: JSON.stringify(REPORT) })
      .execute()
    const worker = new ErasureWorker({ store, carryOut: () => expect.fail('it is done') })
    await worker.runAll()
    expect(await store.get(id)).toMatchObject({ finishedAt: NOW, report: REPORT })
  })
})

test('a log that cannot rewrite: the report says until when it keeps what is theirs', async () => {
  const erased: string[] = []
  const log: Pick<EventLog, 'erase' | 'topic'> = {
    erase: async () => ({ kind: 'kept until retention', retentionMs: 86_400_000 }),
    topic: async (topic) => ({ topic, sizeBytes: 0, partitions: [] }),
  }
  const parts: ErasureParts = {
    store,
    log: log as EventLog,
    topics: { events: 'shop.events', rejected: 'shop.rejected', recommendations: 'shop.recommendations' },
    live: {
      forget: async (shopper) => {
        erased.push(`live ${shopper}`)
        return 1
      },
      waitFor: async () => true,
      shopper: async () => null,
    },
    lake: {
      find: async (id) => ({
        names: { id, anonymousIds: [], sessions: [] },
        rowCounts: { 'bronze.events': 2 },
        eventIds: ['e1'],
        firstAtMs: NOW,
        sharedAnonymousIds: 0,
        namedByOthers: 0,
      }),
      erase: async ({ id }) => void erased.push(`lake ${id}`),
    },
    models: async () => [],
    flushPassports: async () => void erased.push('passports'),
    forgetIds: (ids) => void erased.push(`ids ${ids}`),
    now: () => NOW,
  }
  await store.request('ani')
  const [request] = await store.pending()
  const report = await eraseShopper(parts, request!, () => {})
  expect(erased).toEqual(['passports', 'live ani', 'ids e1', 'lake ani'])
  expect(report.removed).toMatchObject({ 'bronze.events': 2, 'live state': 1 })
  expect(report.remains.filter(({ place }) => place.startsWith('log'))).toEqual(
    ['events', 'rejected', 'recommendations'].map((topic) => ({
      place: `log shop.${topic}`,
      what: expect.stringContaining('cannot rewrite'),
      until: '2026-03-11T00:00:00.000Z',
    })),
  )
})
