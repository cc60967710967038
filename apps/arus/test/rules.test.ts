import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PassportBody, Recommendation, RuleBody } from '../src/api-schema/index.ts'
import { arus } from './end-to-end/running-arus.ts'
import { importProducts, newShop, RunningShop, type Shop } from './forget/shop.ts'

/** Rules as people keep them: by the command line in a process of its own, while a server runs. */
let shop: Shop
let running: RunningShop
beforeAll(async () => {
  shop = newShop()
  await importProducts(shop)
  running = await RunningShop.start(shop)
  for (const product_id of ['B0001', 'B0002', 'B0003']) {
    await running.post('/stream/events', [{ user_id: 'budi', action: 'view', product_id }])
  }
}, 60_000)
afterAll(async () => {
  await running?.stop()
  shop?.destroy()
})

const ask = async (limit: number) =>
  (await running.get(`/recommendations/user/budi?limit=${limit}&scenario=home`)) as Recommendation
const passportOf = async ({ recommendation_id }: Recommendation) =>
  (await running.get(`/recommendations/${recommendation_id}?recompute=true`)) as PassportBody
const idsOf = ({ recommendations }: Recommendation) => recommendations.map(({ product_id }) => product_id)

function cli(...args: readonly string[]) {
  const apiPort = Number(new URL(running.server.apiUrl).port)
  return arus({ dataDir: join(shop.folder, 'data'), apiPort, dashboardPort: 0 }, ...args)
}

test('kept by another process they are followed, told, computed again, and there after a restart', async () => {
  const [first, second] = idsOf(await ask(5))
  const file = join(shop.folder, 'rules.json')
  const rules = [
    { kind: 'exclude', name: 'Sold out', products: [first] },
    { kind: 'pin', name: 'New in', product_id: 'B0030', rank: 2, scenarios: ['home'] },
    { kind: 'explore', name: 'Curious', probability: 0.5, pool: 5, scenarios: ['home'] },
  ]
  writeFileSync(file, JSON.stringify(rules))

  const preview = await cli('rules', 'preview', '--user', 'budi', '--scenario', 'home', '--json', file)
  expect(JSON.parse(preview.out).changes).toContainEqual(
    expect.objectContaining({ product_id: first, rank_before: 1, rank_after: null }),
  )
  expect(idsOf(await ask(5))[0]).toBe(first)

  const added = await cli('rules', 'add', file)
  expect([added.status, added.err]).toEqual([0, expect.stringContaining('follows within a second')])
  await expect.poll(async () => idsOf(await ask(5))[1], { timeout: 5_000 }).toBe('B0030')
  const answer = await ask(5)
  expect(idsOf(answer)).not.toContain(first)
  const passport = await passportOf(answer)
  expect(passport.exploration).toEqual({ probability: 0.5, pool: 5 })
  expect(passport.result[1]).toMatchObject({ product_id: 'B0030', reason: 'pinned', propensity: 1 })
  expect(passport.recomputed?.kind).toBe('same')
  expect((await cli('why', answer.recommendation_id)).out).toContain('with probability 0.5')

  const [, , explore] = ((await running.get('/rules')) as { rules: RuleBody[] }).rules
  expect((await cli('rules', 'remove', explore?.id ?? '')).status).toBe(0)
  await expect
    .poll(async () => (await passportOf(await ask(5))).exploration, { timeout: 5_000 })
    .toBeUndefined()
  expect(idsOf(await ask(5)).slice(0, 2)).toEqual([second, 'B0030'])
  expect((await passportOf(answer)).recomputed).toMatchObject({ kind: 'same', reasons: [] })

  await running.server.refineNow()
  const { rows } = await (await running.parts.query()).query(
    `SELECT rules ->> '$.revision', exploration_probability, products ->> '$[1].propensity'
     FROM bronze.recommendations WHERE recommendation_id = $1`,
    { params: [answer.recommendation_id] },
  )
  expect(rows).toEqual([['3', 0.5, '1']])

  await running.stop()
  running = await RunningShop.start(shop)
  expect(idsOf(await ask(5))[1]).toBe('B0030')
  expect((await passportOf(answer)).recomputed?.kind).toBe('same')
}, 120_000)
