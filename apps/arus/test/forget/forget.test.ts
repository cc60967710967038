import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataFolders } from '../../src/config/settings.ts'
import { expectAsAnew } from '../../src/lake/expect-as-anew.ts'
import { openParts } from '../../src/wiring.ts'
import { sidesOf } from './others.ts'
import { filesHolding } from './raw-files.ts'
import { ANI, ANI_WORDS, importProducts, newShop, RunningShop, type Shop, shopAWhile } from './shop.ts'

const connection = await (await DuckDBInstance.create(':memory:')).connect()

let shop: Shop
beforeAll(async () => {
  shop = newShop()
  await importProducts(shop)
  const running = await RunningShop.start(shop)
  await shopAWhile(running)
  await running.stop()
}, 180_000)
afterAll(() => shop.destroy())

const found = () => filesHolding(dataFolders(shop.settings).root, ANI_WORDS, connection)

describe('forgetting a shopper of a running server', () => {
  test('no file below the data folder holds a name or a word of theirs; others are as they were', async () => {
    const words = new Set((await found()).map(({ text }) => text))
    expect([...words].sort(), 'the search finds what is there').toEqual([...ANI_WORDS].sort())
    const files = (await found()).map(({ file }) => file)
    for (const place of [
      'log/data.mdb',
      'state/data.mdb',
      '_delta_log/0',
      'checkpoint.parquet',
      'user_stats',
      'quality_results',
    ])
      expect(
        files.some((file) => file.includes(place)),
        place,
      ).toBe(true)

    const running = await RunningShop.start(shop)
    const before = await sidesOf(running.parts)
    const budi = await running.get('/users/budi')
    const unknown = await running.forget('nobody')
    expect(Object.values(unknown.removed)).toEqual(Object.values(unknown.removed).map(() => 0))
    expect(unknown).toMatchObject({
      other_names: 0,
      remains: [expect.objectContaining({ place: 'database' })],
      outdated_models: [],
      model_in_service: null,
    })
    const events = await (await running.parts.lake()).table('bronze.events')
    expect((await events.at({ version: 1 })).version, 'older versions stay when nobody was found').toBe(1)

    const report = await running.forget(ANI)
    await expect(events.at({ version: 1 })).rejects.toMatchObject({ code: 'DELTA_VERSION_UNKNOWN' })
    const after = await sidesOf(running.parts)
    expect(after.others).toEqual(before.others)
    expect(after.aniRows).toEqual(Object.fromEntries(Object.keys(before.aniRows).map((table) => [table, 0])))
    expect(report.removed).toMatchObject(before.aniRows)
    for (const [topic, count] of Object.entries(before.entries)) {
      expect(report.removed[`log ${topic}`], topic).toBeGreaterThan(0)
      expect(after.entries[topic], topic).toBe(count - (report.removed[`log ${topic}`] ?? 0))
    }
    expect(report).toMatchObject({ user_id: ANI, other_names: 5, outdated_models: [1], model_in_service: 1 })
    expect(report.removed['live state']).toBeGreaterThan(0)
    expect(report.remains).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ place: 'model 1', until: null }),
        expect.objectContaining({
          place: 'events of others',
          what: expect.stringContaining('1 anonymous ids'),
        }),
      ]),
    )
    expect(await running.get('/users/budi')).toEqual(budi)
    expect(await running.get(`/users/${encodeURIComponent(ANI)}`)).toMatchObject({ status: 404 })
    await running.stop()
    expect(await found()).toEqual([])

    const parts = openParts(shop.settings)
    const lake = await parts.lake()
    const lakeRoot = dataFolders(shop.settings).lake
    await expectAsAnew({ folder: shop.folder, lakeRoot, lake, duckdb: lake.duckdb })
    await parts.close()
  }, 180_000)

  test('what they send afterwards is new; the model that held their history is not used for them, and is replaced by the next', async () => {
    const running = await RunningShop.start(shop)
    const again = await running.forget(ANI)
    expect(Object.values(again.removed).every((count) => count === 0)).toBe(true)
    const sent = await running.post('/stream/events', [
      { user_id: ANI, action: 'view', product_id: 'B0001', event_id: 'event-ani-1' },
      { user_id: 'budi', action: 'view', product_id: 'B0001' },
    ])
    expect(sent).toMatchObject({ accepted: 2, duplicates: 0 })
    await running.server.refineNow()
    const modelFor = async (user: string) =>
      (
        (await running.get(`/recommendations/user/${encodeURIComponent(user)}?limit=3`)) as {
          model: { version: number } | null
        }
      ).model
    expect(await modelFor('budi')).toMatchObject({ version: 1 })
    expect(await modelFor(ANI)).toBeNull()
    const { models } = (await running.get('/models')) as { models: { version: number; outdated: boolean }[] }
    expect(models).toMatchObject([{ version: 1, outdated: true }])

    const registry = await running.parts.registry()
    const version = await running.train()
    expect(await registry.production()).toMatchObject({
      version,
      outdated: false,
      reason: expect.stringContaining('erased since'),
    })
    expect(await modelFor(ANI)).toMatchObject({ version })
    await expect(registry.rollback()).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
    await running.stop()
  }, 180_000)

  test('what was acknowledged a moment before goes too, events of others that come meanwhile are all there', async () => {
    const running = await RunningShop.start(shop)
    // Live state and bronze have not come so far yet.
    const late = Array.from({ length: 3_000 }, () => ({
      user_id: ANI,
      action: 'search',
      query: 'zeppelinblau',
    }))
    expect(await running.post('/stream/events', late)).toMatchObject({ accepted: 3_000 })
    let isForgotten = false
    let sent = 0
    const sending = (async () => {
      while (!isForgotten) {
        const events = Array.from({ length: 20 }, () => ({
          user_id: `dewi-${sent++ % 5}`,
          action: 'view',
          product_id: 'B0009',
        }))
        await running.post('/stream/events', events)
      }
    })()
    await running.forget(ANI).finally(() => {
      isForgotten = true
    })
    await sending
    await running.server.refineNow()
    const lake = await running.parts.lake()
    for (const table of ['bronze.events', 'silver.events'] as const) {
      const { sql } = await lake.relation(table)
      const count = await connection.runAndReadAll(
        `SELECT count(*)::INTEGER FROM ${sql} WHERE user_id LIKE 'dewi-%'`,
      )
      expect(count.getRows(), table).toEqual([[sent]])
    }
    expect(sent).toBeGreaterThan(0)
    await running.stop()
    expect(await found()).toEqual([])
  }, 180_000)
})
