import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  ExperimentBody,
  ExperimentDetailBody,
  PassportBody,
  Recommendation,
} from '../../src/api-schema/index.ts'
import { seededRandom } from '../../src/catalogue/seeded-random.ts'
import { dataFolders } from '../../src/config/settings.ts'
import { registerModel } from '../../src/experiments/test-experiments.ts'
import { type Server, startServer } from '../../src/server/server.ts'
import { type OpenParts, openParts } from '../../src/wiring.ts'
import { importProducts, newShop, type Shop } from '../forget/shop.ts'

const SHOPPERS = Array.from({ length: 600 }, (_, i) => `shopper-${i}`)
const [SEEN, DULL, LIKED] = ['B0001', 'B0002', 'B0003'] as const
/** How often a shopper clicks what comes first: they care for one product and not for the other. */
const CLICKS: Readonly<Record<string, number>> = { [DULL]: 0.05, [LIKED]: 0.4 }
const HOUR_MS = 3_600_000
const DEADLINE_MS = 60_000

let shop: Shop
let parts: OpenParts
let server: Server
/** Added to the clock: a window of an hour need not be waited for. */
let aheadMs = 0
const now = () => Date.now() + aheadMs

beforeAll(async () => {
  shop = newShop()
  await importProducts(shop)
  await start()
  const registry = await parts.registry()
  const production = await registerModel(registry, { [SEEN]: [DULL, LIKED] })
  await registerModel(registry, { [SEEN]: [LIKED, DULL] })
  await registry.promote(production.version, 'for the test')
  await server.models.refresh()
  await post(
    '/stream/events',
    SHOPPERS.map((user_id) => ({ user_id, action: 'view', product_id: SEEN, ts: now() - HOUR_MS })),
  )
  const endMs = performance.now() + DEADLINE_MS
  while ((await get<{ total_users: number }>('/analytics')).total_users < SHOPPERS.length)
    if (performance.now() > endMs) throw new Error('live state does not know the shoppers')
})
afterAll(async () => {
  await stop()
  shop.destroy()
})

async function start() {
  parts = openParts(shop.settings)
  server = await startServer({ parts, version: 'test', now })
}

async function stop() {
  await server.close()
  await parts.close()
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(server.apiUrl + path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as T
  if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
  return answer
}

const get = <T>(path: string) => ask<T>('GET', path)
const post = <T>(path: string, body?: unknown) => ask<T>('POST', path, body)
const recommend = (shopper: string) => get<Recommendation>(`/recommendations/user/${shopper}?limit=1`)

/** Everybody asks once and clicks as they like it; then the window goes by. */
async function everybodyShops(): Promise<Map<string, Recommendation>> {
  const random = seededRandom(7)
  const answers = new Map<string, Recommendation>()
  const clicks: object[] = []
  for (const user_id of SHOPPERS) {
    const answer = await recommend(user_id)
    answers.set(user_id, answer)
    const { product_id = '' } = answer.recommendations[0] ?? {}
    if (random.next() < (CLICKS[product_id] ?? 0)) {
      const { recommendation_id } = answer
      clicks.push({ user_id, action: 'recommendation_clicked', product_id, recommendation_id, ts: now() })
    }
  }
  await post('/stream/events', clicks)
  aheadMs += 2 * HOUR_MS
  await post('/stream/events', [{ user_id: 'late', action: 'view', product_id: SEEN }])
  return answers
}

/** What it has come to, once all answers are in the lake. */
async function shown(id: string): Promise<ExperimentDetailBody> {
  const endMs = performance.now() + DEADLINE_MS
  for (;;) {
    await server.refineNow()
    const body = await get<ExperimentDetailBody>(`/experiments/${id}`)
    const { variants = [], shadows = [] } = body.results ?? {}
    const answers = [...variants, ...shadows].reduce((sum, one) => sum + one.answers, 0)
    const dropped = await droppedShadows()
    if (answers + dropped >= SHOPPERS.length) return body
    if (performance.now() > endMs) expect.fail(`only ${answers} answers are in the lake, ${dropped} dropped`)
  }
}

/** Answers that a machine too busy for models in the shadow leaves out, and says so. */
async function droppedShadows(): Promise<number> {
  const metrics = await (await fetch(`${server.apiUrl}/metrics`)).text()
  return Number(/^arus_shadow_answers_dropped (\d+)$/m.exec(metrics)?.[1])
}

describe('an A/B test of two models on a server', () => {
  let experiment: ExperimentBody
  let first: Map<string, Recommendation>

  test('finds the model that shoppers like, and says so', async () => {
    const made = await post<ExperimentBody>('/experiments', {
      name: 'does the other model sell?',
      scenarios: ['for_you'],
      variants: [{ name: 'control' }, { name: 'new', model_version: 2 }],
      guardrails: [{ metric: 'fallback_rate', max_loss: 0.1 }],
      window_minutes: 60,
      planned_units: 1_000,
    })
    experiment = await post<ExperimentBody>(`/experiments/${made.id}/start`)
    first = await everybodyShops()
    const { results } = await shown(experiment.id)
    expect(results?.verdict).toMatchObject({ kind: 'better', variant: 'new' })
    expect(results?.sample_ratio?.is_mismatch).toBe(false)
    expect(results?.variants.reduce((sum, { units }) => sum + units, 0)).toBe(SHOPPERS.length)
    expect(results?.variants.map(({ metrics }) => metrics.click_through.count)).toEqual(
      results?.variants.map(({ units }) => units),
    )
    for (const { experiments, recommendations, model } of first.values()) {
      const isNew = experiments?.[0]?.variant === 'new'
      expect([recommendations[0]?.product_id, model?.version]).toEqual(isNew ? [LIKED, 2] : [DULL, 1])
    }
  })

  test('an answer of the variant is explained and computed again by the variant’s model', async () => {
    const answer = [...first.values()].find(({ experiments }) => experiments?.[0]?.variant === 'new')!
    const passport = await get<PassportBody>(`/recommendations/${answer.recommendation_id}?recompute=true`)
    expect(passport.experiments).toEqual([{ id: experiment.id, variant: 'new', fell_back: null }])
    expect(passport).toMatchObject({ training: { version: 2 }, recomputed: { kind: 'same' } })
  })

  test('answers everyone as before after a restart', async () => {
    await stop()
    await start()
    for (const shopper of SHOPPERS.slice(0, 50)) {
      const { experiments } = await recommend(shopper)
      expect(experiments).toEqual(first.get(shopper)?.experiments)
    }
  })

  test('falls back to production when the variant’s model is gone, and tells it', async () => {
    await stop()
    const models = dataFolders(shop.settings).models
    const production = await fileOf(1)
    for (const name of readdirSync(models)) if (name !== production) rmSync(join(models, name))
    await start()
    const shopper = SHOPPERS.find((one) => first.get(one)?.experiments?.[0]?.variant === 'new')!
    const answer = await recommend(shopper)
    expect([answer.recommendations[0]?.product_id, answer.model?.version]).toEqual([DULL, 1])
    const { experiments } = await get<PassportBody>(`/recommendations/${answer.recommendation_id}`)
    expect(experiments).toEqual([
      { id: experiment.id, variant: 'new', fell_back: expect.stringContaining('version 2 is gone') },
    ])
  })

  test('once stopped treats nobody, and keeps its verdict', async () => {
    const stopped = await post<ExperimentBody>(`/experiments/${experiment.id}/stop`)
    expect(stopped).toMatchObject({ status: 'stopped', verdict: { kind: 'better', variant: 'new' } })
    for (const shopper of SHOPPERS.slice(0, 20))
      expect(await recommend(shopper)).not.toHaveProperty('experiments')
  })
})

test('a model in the shadow changes no answer, and is compared with them', async () => {
  const { version } = await registerModel(await parts.registry(), { [SEEN]: ['B0004', LIKED] })
  const made = await post<ExperimentBody>('/experiments', {
    name: 'what would it say?',
    mode: 'shadow',
    variants: [{ name: 'next', model_version: version }],
    window_minutes: 60,
  })
  await post(`/experiments/${made.id}/start`)
  const answers = await everybodyShops()
  for (const { model, experiments } of answers.values())
    expect([model?.version, experiments]).toEqual([1, undefined])
  const { results } = await shown(made.id)
  const dropped = await droppedShadows()
  expect(results?.shadows).toMatchObject([{ variant: 'next', answers: SHOPPERS.length - dropped }])
  expect(dropped).toBeLessThan(SHOPPERS.length / 10)
  const { shadows } = await get<PassportBody>(
    `/recommendations/${answers.get(SHOPPERS[0]!)!.recommendation_id}`,
  )
  expect(shadows).toMatchObject([
    { id: made.id, model_version: version, products: ['B0004'], overlap: 0, rank_agreement: 0 },
  ])
})

/** Name of the file of a model version. */
async function fileOf(version: number): Promise<string> {
  const reading = openParts(shop.settings)
  const { sha256 } = await (await reading.database())
    .selectFrom('models')
    .select('sha256')
    .where('version', '=', version)
    .executeTakeFirstOrThrow()
  await reading.close()
  return `${sha256}.model`
}
