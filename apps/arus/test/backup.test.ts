/** The recipe of docs/OPERATIONS.md: what is copied of an embedded shop, and put into an empty folder, goes on as it was. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { arus, freePort, type Place, RunningArus, WITHOUT_ENGINES } from './end-to-end/running-arus.ts'

const START_MS_MAX = 120_000
const SHOPPER = 'who-is-kept'
/** Folders of a shop that hold what nothing else does; all others can be made again. */
const NEEDED = ['log', 'lake', 'database', 'models']

let folder = ''
let running: RunningArus
/** What the API said of the shop before it was copied. */
let before: Awaited<ReturnType<typeof figures>> | undefined
let answered: string
let acknowledged = 0
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-backup-'))
  running = await RunningArus.start(await placeOf('shop'), ['--size', '300', '--shoppers', '0'], START_MS_MAX)
  await post('/rules', { kind: 'pin', name: 'first of all', product_id: await firstProduct(), rank: 1 })
  answered = (await get<{ recommendation_id: string }>('/recommendations/user/1')).recommendation_id
  await shopOn(0, 200)
}, START_MS_MAX)
afterAll(async () => {
  await running?.interrupt()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function placeOf(name: string): Promise<Place> {
  const settings = { ...WITHOUT_ENGINES, ARUS_LOG_LEVEL: 'warn' }
  const [apiPort, dashboardPort] = [await freePort(), await freePort()]
  return { dataDir: join(folder, name), apiPort, dashboardPort, settings }
}

test('the whole folder of a server that was stopped', async () => {
  before = await figures()
  await running.interrupt()
  cpSync(join(folder, 'shop'), join(folder, 'whole'), { recursive: true })
  await goesOnIn('whole')
}, 240_000)

test('only what nothing else holds, of a server that was killed under load, as a snapshot of its disk has it', async () => {
  const cutShort = shopOn(200, 100_000).catch(() => {})
  await shopOn(100_200, 300)
  await running.kill()
  await cutShort
  const killed = running.place
  running = await RunningArus.start(await copyOf(killed, 'killed'), [], START_MS_MAX)
  before = await figures()
  expect(before).toMatchObject({ rules: ['first of all'], model: 1 })
  expect(before?.events).toBeGreaterThanOrEqual(acknowledged)
  await running.interrupt()
  for (const part of NEEDED)
    cpSync(join(killed.dataDir, 'shop', part), join(folder, 'needed', 'shop', part), { recursive: true })
  await goesOnIn('needed')
  expect(running.output).toContain('Built the catalogue from the products in the lake')
}, 240_000)

async function copyOf({ dataDir }: Place, name: string): Promise<Place> {
  cpSync(dataDir, join(folder, name), { recursive: true })
  return placeOf(name)
}

/** A server on a restored folder knows what was known, passes the system test, and takes what comes. */
async function goesOnIn(name: string): Promise<void> {
  running = await RunningArus.start(await placeOf(name), ['--shoppers', '0'], START_MS_MAX)
  expect(running.output).not.toContain('Generating')
  expect(await figures()).toEqual(before)
  const { status, out } = await arus(running.place, 'check')
  expect(out).toContain(' 0 failed')
  expect(status).toBe(0)
}

async function figures() {
  const { events } = await get<{ events: number }>(`/users/${SHOPPER}`)
  const { events_total, total_users } = await get<{ events_total: number; total_users: number }>('/analytics')
  const { products, model } = await get<{ products: number; model: { version: number } }>('/health')
  const { rules } = await get<{ rules: { name: string }[] }>('/rules')
  const passport = await get<{ recommendation_id: string }>(`/recommendations/${answered}`)
  return {
    ...{ events, events_total, total_users, products, model: model.version },
    rules: rules.map(({ name }) => name),
    answered: passport.recommendation_id,
  }
}

/** Sends so many events, one request after the other; each is acknowledged. */
async function shopOn(from: number, count: number): Promise<void> {
  const product_id = await firstProduct()
  for (let i = from; i < from + count; i++) {
    await post('/stream/events', { event_id: `kept-${i}`, user_id: SHOPPER, action: 'view', product_id })
    acknowledged += 1
  }
}

async function firstProduct(): Promise<string> {
  const { products } = await get<{ products: { product_id: string }[] }>('/products?limit=1')
  return products[0]!.product_id
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(running.apiUrl + path)
  expect(response.status, path).toBe(200)
  return (await response.json()) as T
}

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(running.apiUrl + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(response.ok, `${path}: ${response.status}`).toBe(true)
}
