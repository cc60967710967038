import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  fitPopular,
  fitWalk,
  IdTable,
  type Interactions,
  type Model,
  type Purchases,
  wholeFile,
} from '@arus/recommenders'
import { expect, test } from 'vitest'
import { openDuckDb } from '../lake/duckdb.ts'
import { openLake } from '../lake/lake.ts'
import { servingModelOf } from './load-serving-model.ts'
import { bundleFile, loadBundle } from './model-bundle.ts'
import { readPurchases } from './read-purchases.ts'
import { trainCarts } from './train-carts.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 2, 1)
const SHOPPERS = 60
const VISITS = 16
const PAIRS = 20
const CUT_MS = START + 12 * DAY
const products = IdTable.of(Array.from({ length: 2 * PAIRS }, (_, n) => `P${String(n).padStart(2, '0')}`))
const { signal } = new AbortController()

/**
 * Each shopper buys two products on each visit: two that always go together, drawn by chance, or two by chance.
 */
function purchasesOf(what: 'pairs' | 'chance', visits = VISITS): Purchases {
  const rows: { user: number; order: number; item: number; ms: number }[] = []
  for (let user = 0; user < SHOPPERS; user++)
    for (let visit = 0; visit < visits; visit++) {
      const order = user * visits + visit
      const pair = drawn(order) % PAIRS
      const items = what === 'pairs' ? [2 * pair, 2 * pair + 1] : [drawn(order), drawn(order + 100_000)]
      for (const item of items)
        rows.push({ user, order, item: item % products.size, ms: START + visit * DAY + user * 60_000 })
    }
  return {
    userCount: SHOPPERS,
    itemCount: products.size,
    users: Uint32Array.from(rows, ({ user }) => user),
    items: Uint32Array.from(rows, ({ item }) => item),
    timesMs: Float64Array.from(rows, ({ ms }) => ms),
    orders: Uint32Array.from(rows, ({ order }) => order),
  }
}

/** A number that looks drawn by chance (MurmurHash3's finalizer). */
function drawn(seed: number): number {
  let value = Math.imul(seed + 1, 0x9e3779b1)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

/** Shoppers' models are fitted to what they look at, which tells nothing of what goes together. */
function trained(purchases: Purchases) {
  const views = Array.from({ length: SHOPPERS * products.size }, (_, n) => n).filter(
    (n) => drawn(n) % 2 === 0,
  )
  const interactions: Interactions = {
    userCount: SHOPPERS,
    itemCount: products.size,
    users: Uint32Array.from(views, (n) => n % SHOPPERS),
    items: Uint32Array.from(views, (n) => Math.floor(n / SHOPPERS)),
    timesMs: Float64Array.from(views, (n) => START + n),
    weights: new Float32Array(views.length).fill(1),
  }
  const models = new Map<string, Model>([
    ['popular', fitPopular(interactions)],
    ['walk', fitWalk(interactions)],
  ])
  const shoppers = { chosen: 'walk', products, models }
  return { models, ...trainCarts(purchases, { products, shoppers, cutMs: CUT_MS, signal }) }
}

test('where products are bought together, carts are answered by that, and the report says by how much it is better', () => {
  const { models, cart, report } = trained(purchasesOf('pairs'))
  expect(report).toMatchObject({
    kind: 'bought-together',
    reason: expect.stringMatching(/^a cart is answered by bought-together × \d: .*mrr@20 \+0\.\d+ \(95 % \+/),
  })
  const { 'a cart: without': without, [`a cart: bought-together × ${cart!.share}`]: chosen } = report!.metrics
  expect(chosen!['mrr@20']).toBeGreaterThan(without!['mrr@20']! + 0.1)

  const files = new Map([...models].map(([kind, model]) => [kind, model.file()]))
  const bundle = loadBundle(
    wholeFile(bundleFile({ chosen: 'walk', products, models: files, session: null, cart })),
  )
  const model = servingModelOf({ kind: 'walk', version: 1, trained_at: START }, bundle)
  expect(model.cart).toMatchObject({ kind: 'bought-together', share: cart!.share })
  const ask = (...ids: string[]) => ids.map((product_id) => ({ product_id, weight: 1 }))
  expect(model.cart!.recommend(ask('P04'), 1)).toMatchObject([{ product_id: 'P05', because_of: 'P04' }])
  expect(model.cart!.recommend(ask('P04', 'P05', 'P10'), 1)).toMatchObject([
    { product_id: 'P11', because_of: 'P10' },
  ])
  expect(model.cart!.recommend(ask('P04'), 1, [new Set(['P05'])])).not.toMatchObject([{ product_id: 'P05' }])
  expect(model.cart!.recommend(ask('unknown'), 1)).toEqual([])
})

test('where they are not, the version has no such model, and says why', () => {
  const { cart, report } = trained(purchasesOf('chance'))
  expect(cart).toBeNull()
  expect(report).toMatchObject({ kind: null, reason: expect.stringContaining('is not surely better') })
})

test('too few orders say nothing', () => {
  const few = purchasesOf('pairs', 12)
  expect(trained(few)).toMatchObject({ cart: null, report: null })
})

test('orders are read from silver by their ids, and without one by session', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-read-purchases-'))
  const duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 256 * 1024 * 1024 })
  const lake = openLake({ root: join(folder, 'lake'), duckdb })
  try {
    const rows = [
      ['u1', 's1', 'purchase', 'P00', 'o1'],
      ['u1', 's2', 'purchase', 'P01', 'o1'],
      ['u2', 's3', 'purchase', 'P02', 'o1'],
      ['u2', 's3', 'view', 'P03', null],
      ['u2', 's3', 'purchase', 'unknown', 'o1'],
      ['u3', 's4', 'purchase', 'P04', null],
      ['u3', 's4', 'purchase', 'P05', null],
      ['u3', 's5', 'purchase', 'P06', null],
    ] as const
    const values = rows
      .map(
        ([shopper, session, action, product, order], n) =>
          `('${shopper}', '${session}', '${action}', '${product}', ${order === null ? 'NULL' : `'${order}'`}, ${n})`,
      )
      .join(', ')
    await lake.write(
      'silver.events',
      `SELECT 'e' || n AS event_id, shopper AS user_id, session AS session_id, NULL AS anonymous_id, shopper, session, action, product_id,
         NULL AS category, make_timestamp((${START} + n)::BIGINT * 1000)::TIMESTAMPTZ AS ts, ts AS received_at, NULL AS price,
         NULL AS quantity, order_id, NULL AS recommendation_id, NULL AS position, NULL AS query, NULL AS properties, 0 AS log_partition,
         n AS log_offset, ts::DATE AS event_date
       FROM (VALUES ${values}) v(shopper, session, action, product_id, order_id, n)`,
      { mode: 'overwrite' },
    )
    const { users, items, orders, timesMs, userCount } = await readPurchases(lake, products)
    expect(Array.from(items, (item) => products.idOf(item))).toEqual([
      'P00',
      'P01',
      'P02',
      'P04',
      'P05',
      'P06',
    ])
    expect([...timesMs]).toEqual([0, 1, 2, 5, 6, 7].map((n) => START + n))
    expect(userCount).toBe(3)
    expect([...users]).toEqual([0, 0, 1, 2, 2, 2])
    const [a, b, c, d, e, f] = orders!
    expect([a === b, d === e]).toEqual([true, true])
    expect(new Set([a, c, d, f]).size).toBe(4)
    expect((await readPurchases(lake, products, { purchasesMax: 2 })).items.length).toBe(2)
    const { sql, version } = await lake.relation('silver.events')
    await lake.write('silver.events', `SELECT * FROM ${sql} WHERE product_id = 'P06'`, { mode: 'overwrite' })
    expect((await readPurchases(lake, products)).items.length).toBe(1)
    expect((await readPurchases(lake, products, { version })).items.length).toBe(6)
  } finally {
    await lake.close()
    await duckdb.close()
    rmSync(folder, { recursive: true })
  }
})
