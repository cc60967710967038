import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fitPopular, IdTable, modelFile, wholeFile } from '@arus/recommenders'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ArusDatabase } from '../database/database.ts'
import { openSqliteDatabase } from '../database/sqlite-database.ts'
import { type DuckDb, openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { openRegistry } from '../registry/lake-registry.ts'
import type { Registry } from '../registry/registry.ts'
import { loadServingModel } from './load-serving-model.ts'
import { readSessions, visitsOf } from './read-sessions.ts'
import { train } from './train.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 2, 1)
const PRODUCTS = 40

let folder = ''
let duckdb: DuckDb
let lake: Lake
let database: ArusDatabase
let registry: Registry
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-train-sessions-'))
  duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 512 * 1024 * 1024 })
  lake = openLake({ root: join(folder, 'lake'), duckdb })
  database = await openSqliteDatabase({ file: join(folder, 'arus.sqlite') })
  registry = openRegistry({ database, folder: join(folder, 'models') })
})
afterEach(async () => {
  await database.destroy()
  await lake.close()
  await duckdb.close()
  rmSync(folder, { recursive: true })
})

/**
 * 60 shoppers, 16 sessions each of two products. In order: the second is one step on from the first, on a circle, which what goes
 * together cannot tell from one step back. Otherwise both are drawn by chance.
 */
async function shop(order: 'circle' | 'chance'): Promise<void> {
  const product =
    order === 'circle'
      ? `(hash(shopper * 1000 + visit) % ${PRODUCTS} + step) % ${PRODUCTS}`
      : `hash(shopper * 1000 + visit * 10 + step) % ${PRODUCTS}`
  const events = `SELECT 'u' || shopper AS shopper, 's' || shopper || '-' || visit AS session, 'P' || (${product}) AS product_id,
      make_timestamp((${START} + visit * ${DAY} + shopper * 60000 + step * 1000)::BIGINT * 1000)::TIMESTAMPTZ AS ts, step
    FROM range(60) a(shopper), range(16) b(visit), range(2) c(step)`
  await lake.write(
    'silver.products',
    `SELECT 'P' || i AS product_id, 'thing ' || i AS title, NULL AS image_url, NULL AS product_url, 4.0 AS stars, 10 AS reviews, 5 AS price,
       NULL AS list_price, NULL AS discount, 1 AS category_id, 'all' AS category, false AS is_best_seller, 0 AS bought_in_last_month
     FROM range(${PRODUCTS}) t(i)`,
    { mode: 'overwrite' },
  )
  await lake.write(
    'silver.interactions',
    `SELECT shopper, product_id, 'view' AS action, 1 AS weight, ts, ts::DATE AS event_date FROM (${events})`,
    { mode: 'overwrite' },
  )
  await lake.write(
    'silver.events',
    `SELECT session || '-' || step AS event_id, shopper AS user_id, session AS session_id, NULL AS anonymous_id, shopper, session,
       'view' AS action, product_id, NULL AS category, ts, ts AS received_at, NULL AS price, NULL AS quantity, NULL AS order_id,
       NULL AS recommendation_id, NULL AS position, NULL AS query, NULL AS properties, 0 AS log_partition, step AS log_offset,
       ts::DATE AS event_date FROM (${events})`,
    { mode: 'overwrite' },
  )
}

const run = (trialsMax?: number) =>
  train({
    lake,
    registry,
    now: () => START + 30 * DAY,
    onProgress: () => {},
    signal: new AbortController().signal,
    trialsMax,
  })

const asSession = (...ids: string[]) => ids.reverse().map((product_id) => ({ product_id, weight: 1 }))

test('where sessions have an order, the version answers what comes next, and says by how much it is better', async () => {
  await shop('circle')
  const { version } = await run()
  expect(version.table_versions['silver.events']).toBe(1)
  const { session } = version
  expect(session?.kind).not.toBeNull()
  expect(session?.reason).toMatch(/a session is answered by .* mrr@20 \+/)
  const [without, ...uses] = Object.entries(session!.metrics).filter(([name]) => name.startsWith('a session'))
  expect(without?.[0]).toContain('without')
  expect(Math.max(...uses.map(([, metrics]) => metrics['mrr@20']!))).toBeGreaterThan(
    without![1]['mrr@20']! + 0.1,
  )

  const model = loadServingModel(version, await registry.artefact(version.version))
  expect(model.session?.use.anonymous).not.toBe(0)
  const [best] = model.session!.recommend(asSession('P7', 'P8'), 5)
  expect(best).toMatchObject({ product_id: 'P9', because_of: expect.stringMatching(/^P[78]$/) })
  expect(model.session!.recommend(asSession('unknown'), 5)).toEqual([])
  const rows = await duckdb.connect()
  const { sql } = await lake.relation('gold.model_metrics')
  const kinds = await rows.runAndReadAll(
    `SELECT count(*)::INTEGER FROM ${sql} WHERE kind LIKE 'a session: %'`,
  )
  expect(kinds.getRows()[0]?.[0]).toBe(2 * (1 + uses.length))
  rows.closeSync()

  const again = await run()
  expect(again.wasPromoted, again.version.reason).toBe(false)
}, 120_000)

test('where they have none, or somebody waits, it has no model of sessions', async () => {
  await shop('chance')
  const { version } = await run()
  expect(version.session).toMatchObject({ kind: null, reason: expect.stringContaining('not surely better') })
  expect(loadServingModel(version, await registry.artefact(version.version)).session).toBeNull()
  await shop('circle')
  const quick = await run(3)
  expect(quick.version.session).toBeNull()
  // One with a model of sessions replaces it, though the rest is no better.
  const searched = await run()
  expect(searched.version.session?.kind).not.toBeNull()
  expect(searched.wasPromoted, searched.version.reason).toBe(true)
}, 120_000)

test('a bundle of before there were models of sessions still answers', () => {
  const model = fitPopular({
    userCount: 1,
    itemCount: 2,
    users: Uint32Array.of(0, 0),
    items: Uint32Array.of(1, 1),
    weights: Float32Array.of(1, 1),
    timesMs: Float64Array.of(1, 2),
  })
  const bundle = modelFile(
    'bundle',
    { chosen: 'popular', kinds: ['popular'] },
    { products: IdTable.of(['P0', 'P1']).file(), 'model/popular': model.file() },
  )
  const loaded = loadServingModel(
    { kind: 'popular', version: 1, trained_at: 1 } as Parameters<typeof loadServingModel>[0],
    wholeFile(bundle),
  )
  expect(loaded.session).toBeNull()
  expect(loaded.popular(1)).toMatchObject([{ product_id: 'P1' }])
})

test('sessions are read in order of time, the newest up to a bound; what is done with one product in a row is one visit', async () => {
  await shop('circle')
  const products = IdTable.of(Array.from({ length: PRODUCTS }, (_, n) => `P${n}`))
  const { log } = await readSessions(lake, products, 100)
  expect(log.items).toHaveLength(100)
  expect(Math.min(...log.timesMs)).toBe(START + 15 * DAY + 10 * 60_000)
  for (let n = 1; n < log.items.length; n++) {
    if (log.sessions[n] !== log.sessions[n - 1]) continue
    expect(log.timesMs[n]! - log.timesMs[n - 1]!).toBe(1_000)
    const [before, after] = [products.idOf(log.items[n - 1]!), products.idOf(log.items[n]!)]
    expect(Number(after.slice(1))).toBe((Number(before.slice(1)) + 1) % PRODUCTS)
  }
  const visits = visitsOf(
    {
      sessionCount: 2,
      itemCount: 3,
      sessions: Uint32Array.of(0, 0, 0, 0, 1, 1),
      shoppers: new Uint32Array(6),
      items: Uint32Array.of(1, 1, 2, 1, 1, 2),
      weights: Float32Array.of(1, 6, 1, 1, 1, 1),
      timesMs: Float64Array.of(1, 2, 3, 4, 5, 6),
    },
    () => true,
  )
  expect([...visits.items]).toEqual([1, 2, 1, 1, 2])
  expect([...visits.timesMs]).toEqual([2, 3, 4, 5, 6])
})
