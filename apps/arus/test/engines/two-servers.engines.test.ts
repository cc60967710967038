/** Two servers of one shop on the same Kafka, bucket, PostgreSQL and MLflow, with live state of their own or shared on one Valkey. */
import { randomUUID } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { generateCatalogueFiles } from '../../src/catalogue/generate.ts'
import { arus, freePort, type Place, RunningArus } from '../end-to-end/running-arus.ts'

const START_MS_MAX = 300_000
/** The lake of two servers, and of one that is new, on two cores. */
const SETTLE_MS_MAX = 120_000

interface Product {
  readonly product_id: string
}

describe.each([
  { how: 'each with live state of its own', redisUrl: '' },
  { how: 'on one Valkey', redisUrl: process.env.REDIS_URL ?? '' },
])('two servers, $how', ({ redisUrl }) => {
  const shop = `t${randomUUID().slice(0, 8)}`
  const folder = mkdtempSync(join(tmpdir(), 'arus-two-'))

  let one: RunningArus
  let other: RunningArus
  beforeAll(async () => {
    one = await RunningArus.start(await placeOf('one'), ['--size', '500', '--shoppers', '0'], START_MS_MAX)
    other = await RunningArus.start(await placeOf('other'), [], START_MS_MAX)
  }, 2 * START_MS_MAX)
  afterAll(async () => {
    await Promise.all([one?.interrupt(), other?.interrupt()])
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  async function placeOf(name: string): Promise<Place> {
    return {
      dataDir: join(folder, name),
      apiPort: await freePort(),
      dashboardPort: await freePort(),
      settings: {
        ARUS_SHOP: shop,
        ARUS_LOG_LEVEL: 'silent',
        ARUS_LAKE_INTERVAL_MS: '1000',
        REDIS_URL: redisUrl,
        SPARK_REMOTE: '',
        TRINO_URL: '',
      },
    }
  }

  test('the second serves the products and the model of the first', async () => {
    const roles = await Promise.all([one, other].map((arus) => bodyOf(arus, '/health')))
    expect(roles).toMatchObject([
      { live_role: 'leader' },
      { live_role: redisUrl === '' ? 'leader' : 'follower' },
    ])
    expect(other.output).toContain('Built the catalogue from the products in the lake')
    const listed = await Promise.all([one, other].map((arus) => bodyOf(arus, '/products?limit=3')))
    const [mine, theirs] = listed.map((body) => (body as { products: object[] }).products)
    expect(theirs).toHaveLength(3)
    expect(theirs).toEqual(mine)
    expect(await bodyOf(other, '/recommendations/user/1')).toMatchObject({ model: { version: 1 } })
  })

  test('events sent to either count once in both and in the lake, whichever is killed meanwhile', async () => {
    const acknowledged = new Set<string>()
    const sent = new Set<string>()
    for (let i = 0; i < 400; i++) {
      if (i === 100) await other.kill()
      if (i === 160) other = await RunningArus.start(other.place, [], START_MS_MAX)
      // Which leads, where one does.
      if (i === 250) await one.kill()
      if (i === 310) one = await RunningArus.start(one.place, ['--shoppers', '0'], START_MS_MAX)
      const id = `${shop}-${i}`
      sent.add(id)
      // Each tenth to both at the same moment.
      const to = i % 10 === 0 ? [one, other] : [i % 2 === 0 ? one : other]
      await Promise.all(
        to.map(async (arus) => {
          if (await isAccepted(arus, id)) acknowledged.add(id)
        }),
      )
    }
    expect(acknowledged.size).toBeGreaterThan(300)
    const inLake = await vi.waitUntil(
      async () => {
        const { rows } = await ask(one, `SELECT event_id FROM silver.events WHERE user_id = '${shop}'`)
        const ids = rows.map(([id]) => id)
        return [...acknowledged].every((id) => ids.includes(id)) ? ids : null
      },
      { timeout: SETTLE_MS_MAX, interval: 1_000 },
    )
    expect(inLake).toHaveLength(new Set(inLake).size)
    expect([...sent]).toEqual(expect.arrayContaining(inLake))
    for (const arus of [one, other]) {
      const events = async () => ((await bodyOf(arus, `/users/${shop}`)) as { events: number }).events
      await vi.waitUntil(async () => (await events()) === inLake.length, {
        timeout: SETTLE_MS_MAX,
        interval: 500,
      })
    }
  }, 600_000)

  test('a product imported on one is found on the other, and recommended there, without a restart', async () => {
    const files = await generateCatalogueFiles({ folder: join(folder, 'files'), productCount: 500, seed: 1 })
    // Alike, and like no other product of the shop.
    for (const asin of ['NEWLAMP001', 'NEWLAMP002'])
      appendFileSync(files.productsFile, `${asin},Zirkonlampe Nachtmeer,,,4.8,900,20,0,,False,400\n`)
    const imported = await arus(one.place, 'import', files.productsFile, files.categoriesFile)
    expect(imported.out).toContain('502 of 502 rows imported')
    const mine = currentOf(one)
    const found = async () => {
      const { products } = (await bodyOf(other, '/products?q=zirkonlampe')) as { products: Product[] }
      return products.map(({ product_id }) => product_id).sort()
    }
    await vi.waitUntil(async () => (await found()).length > 0, { timeout: 30_000, interval: 200 })
    expect(await found()).toEqual(['NEWLAMP001', 'NEWLAMP002'])
    const similar = await bodyOf(other, '/recommendations/similar/NEWLAMP001?limit=3')
    expect(similar).toMatchObject({ recommendations: [{ product_id: 'NEWLAMP002' }, {}, {}] })
    expect(
      await isAccepted(other, `${shop}-lamp`, { user_id: `${shop}-new`, product_id: 'NEWLAMP001' }),
    ).toBe(true)
    await vi.waitUntil(
      async () => {
        const answer = (await bodyOf(other, `/recommendations/user/${shop}-new`)) as {
          recommendations: Product[]
        }
        return answer.recommendations.some(({ product_id }) => product_id === 'NEWLAMP002')
      },
      { timeout: 30_000, interval: 200 },
    )
    // The one that imported them goes on with what it built.
    expect(currentOf(one)).toBe(mine)
  })

  function currentOf({ place }: RunningArus): string {
    return readFileSync(join(place.dataDir, shop, 'catalogue', 'CURRENT'), 'utf8')
  }

  async function isAccepted(
    arus: RunningArus,
    event_id: string,
    changes: { readonly user_id?: string; readonly product_id?: string } = {},
  ): Promise<boolean> {
    const event = { event_id, user_id: shop, action: 'view', product_id: `view-${event_id}`, ...changes }
    const response = await fetch(`${arus.apiUrl}/stream/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event),
    }).catch(() => null)
    return response?.ok ?? false
  }
})

async function bodyOf(arus: RunningArus, path: string): Promise<unknown> {
  const response = await fetch(arus.apiUrl + path)
  expect(response.status, path).toBe(200)
  return response.json()
}

async function ask(arus: RunningArus, sql: string): Promise<{ rows: string[][] }> {
  const response = await fetch(`${arus.apiUrl}/sql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql }),
  })
  expect(response.status).toBe(200)
  return (await response.json()) as { rows: string[][] }
}
