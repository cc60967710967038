import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Health, LiveAnalyticsBody } from '../../src/api-schema/index.ts'
import { rebuildLive } from '../../src/server/rebuild-live.ts'
import { slotProbes } from '../../src/slot-probes.ts'
import {
  ANI,
  ANI_WORDS,
  importProducts,
  newShop,
  RunningShop,
  type Shop,
  shopAWhile,
} from '../forget/shop.ts'
import { type OwnPostgres, ownPostgres } from './postgres-server.ts'
import { type OwnValkey, ownValkey } from './valkey-server.ts'

let postgres: OwnPostgres
let valkey: OwnValkey
let shop: Shop
let running: RunningShop
beforeAll(async () => {
  ;[postgres, valkey] = await Promise.all([ownPostgres(), ownValkey()])
  shop = newShop({ DATABASE_URL: postgres.url, REDIS_URL: valkey.url })
  await importProducts(shop)
  running = await RunningShop.start(shop)
  await shopAWhile(running)
})
afterAll(async () => {
  await running.stop()
  shop.destroy()
  await Promise.all([postgres[Symbol.asyncDispose](), valkey[Symbol.asyncDispose]()])
})

const analytics = async () => (await running.get('/analytics')) as LiveAnalyticsBody
const slotsDown = async () =>
  ((await running.get('/health')) as Health).slots
    .filter(({ status }) => status === 'down')
    .map(({ slot }) => slot)
const countOf = async (table: string) => {
  const answer = await running.post('/sql', { sql: `SELECT count(*)::INTEGER AS n FROM ${table}` })
  return (answer as { rows: number[][] }).rows[0]?.[0]
}

test('both slots say what they are connected to, without passwords', async () => {
  await expect.poll(slotsDown, { timeout: 30_000 }).toEqual([])
  const probes = slotProbes(running.parts).map(({ slot, adapter, detail }) => ({ slot, adapter, detail }))
  expect(probes).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ slot: 'database', adapter: 'postgresql' }),
      expect.objectContaining({ slot: 'live state', adapter: 'valkey' }),
    ]),
  )
  expect(JSON.stringify(probes)).not.toContain('for-a-test')
})

test('events, recommendations, rules, experiments and keys; all of it is there after a restart', async () => {
  const answer = async () =>
    (await running.get('/recommendations/user/budi?limit=3')) as {
      recommendations: { product_id: string }[]
    }
  expect((await answer()).recommendations).toHaveLength(3)
  expect(await running.get('/models')).toMatchObject({ models: [{ version: 1, status: 'production' }] })
  const rule = (await running.post('/rules', {
    kind: 'pin',
    name: 'first',
    product_id: 'B0031',
    rank: 1,
  })) as { id: string }
  expect((await answer()).recommendations[0]?.product_id).toBe('B0031')
  const experiment = (await running.post('/experiments', {
    name: 'none',
    variants: [{ name: 'control' }, { name: 'same', model_version: 1 }],
  })) as { id: string }
  expect(await running.post(`/experiments/${experiment.id}/start`, {})).toMatchObject({ status: 'running' })
  const keys = await running.parts.keys()
  await keys.create({ kind: 'admin', name: 'me', origins: [], rate_limit_per_minute: null })
  const before = { analytics: await analytics(), budi: await running.get('/users/budi') }

  await running.stop()
  running = await RunningShop.start(shop)
  expect(await analytics()).toMatchObject({
    events_total: before.analytics.events_total,
    total_users: before.analytics.total_users,
  })
  expect(await running.get('/users/budi')).toEqual(before.budi)
  expect((await answer()).recommendations[0]?.product_id).toBe('B0031')
  expect(await running.get(`/experiments/${experiment.id}`)).toMatchObject({ status: 'running' })
  expect(await (await running.parts.keys()).list()).toMatchObject([{ name: 'me' }])
  await fetch(`${running.server.apiUrl}/rules/${rule.id}`, { method: 'DELETE' })
})

test('live state made anew from the log is what it was', async () => {
  const before = await analytics()
  await running.stop()
  const parts = (await import('../../src/wiring.ts')).openParts(shop.settings)
  const rebuilt = await rebuildLive({
    parts,
    signal: new AbortController().signal,
    onProgress: () => {},
    out: () => {},
    note: () => {},
  })
  await parts.close()
  expect(rebuilt).toMatchObject({ events: before.events_total, shoppers: before.total_users })
  running = await RunningShop.start(shop)
  expect((await analytics()).events_total).toBe(before.events_total)
})

describe('killed and started again under load', () => {
  test('each of the two: answers go on, and what was accepted is in live state and in the lake, once', async () => {
    const before = { live: (await analytics()).events_total, lake: Number(await countOf('bronze.events')) }
    const load = loadOn(running)
    await load.until(300)
    await postgres.crash()
    await expect.poll(slotsDown, { timeout: 10_000 }).toContain('database')
    await load.until(load.accepted() + 300)
    await postgres.start()
    await valkey.kill()
    await expect.poll(slotsDown, { timeout: 10_000 }).toEqual(['live state'])
    await load.until(load.accepted() + 300)
    await valkey.start()
    await expect.poll(slotsDown, { timeout: 30_000 }).toEqual([])
    await load.until(load.accepted() + 300)
    const { accepted, refused, unanswered } = await load.end()
    expect({ refused, unanswered }).toEqual({ refused: 0, unanswered: 0 })
    await expect
      .poll(async () => (await analytics()).events_total, { timeout: 60_000 })
      .toBe(before.live + accepted)
    await running.server.refineNow()
    expect(await countOf('bronze.events')).toBe(before.lake + accepted)
    expect(await countOf('silver.events')).toBe(
      await countOf('(SELECT DISTINCT event_id FROM bronze.events)'),
    )
  })
})

test('of a shopper who was erased nothing is found in Valkey, in PostgreSQL, or in answers', async () => {
  const found = async () => {
    const places = await Promise.all(
      ANI_WORDS.map(async (word) => [
        valkey.holds(word) && 'valkey',
        (await postgres.holds(word)) && 'postgresql',
      ]),
    )
    return new Set(places.flat().filter(Boolean))
  }
  expect(await found()).toEqual(new Set(['valkey']))
  const report = await running.forget(ANI)
  expect(report.removed['live state']).toBeGreaterThan(0)
  expect(await found()).toEqual(new Set())
  expect(await running.get(`/users/${encodeURIComponent(ANI)}`)).toMatchObject({ status: 404 })
})

/** Sends events and asks for recommendations, one request after the other, until it is ended. */
function loadOn({ server }: RunningShop) {
  const counts = { accepted: 0, refused: 0, unanswered: 0 }
  let isEnded = false
  const sending = (async () => {
    for (let n = 0; !isEnded; n++) {
      const events = Array.from({ length: 10 }, (_, i) => ({
        user_id: `load-${(n + i) % 40}`,
        action: 'view',
        product_id: `B00${10 + (n % 20)}`,
      }))
      const response = await fetch(`${server.apiUrl}/stream/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(events),
      })
      const { accepted = 0 } = (await response.json()) as { accepted?: number }
      counts.accepted += accepted
      counts.refused += events.length - accepted
      await sleep(5)
    }
  })()
  const asking = (async () => {
    for (let n = 0; !isEnded; n++) {
      const response = await fetch(`${server.apiUrl}/recommendations/user/user-${n % 60}?limit=3`)
      const { recommendations = [] } = (await response.json()) as { recommendations?: unknown[] }
      if (response.status !== 200 || recommendations.length === 0) counts.unanswered += 1
      await sleep(20)
    }
  })()
  return {
    accepted: () => counts.accepted,
    async until(accepted: number) {
      while (counts.accepted < accepted) await sleep(20)
    },
    async end() {
      isEnded = true
      await Promise.all([sending, asking])
      return counts
    },
  }
}
