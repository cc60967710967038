import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRecommender, type Recommender } from './recommender.ts'
import { productNamed, ShopCatalogue, ShopLive, ShopModel } from './test-shop.ts'

const NOW_MS = Date.UTC(2026, 0, 15)
const IDS = Array.from({ length: 12 }, (_, i) => `p${i}`)
const USE = { anonymous: 'alone', known: 0.5 } as const

const catalogueOf = (version: string, count: number) =>
  new ShopCatalogue(
    IDS.slice(0, count).map((id, i) =>
      productNamed(id, { title: `${id} of ${version}`, category_id: i % 3 }),
    ),
    version,
  )
const modelOf = (version: number, step: number) =>
  new ShopModel(
    Object.fromEntries(
      IDS.slice(0, 8).map((id, i) => [id, [1, 2, 3, 4].map((n) => IDS[(i + n * step) % IDS.length]!)]),
    ),
    version,
    { follows: { p0: IDS.slice(3), p5: ['p1', 'p2'] }, use: USE },
  )

/** A shop that changes, with a recommender that was there all along. */
function openShop() {
  const live = new ShopLive(() => NOW_MS)
  const parts = { catalogue: catalogueOf('v1', 12), model: modelOf(1, 1) as ShopModel | null, isLive: true }
  let failing: 'nothing' | 'catalogue' | 'model' | 'pairs' = 'nothing'
  const failsAt = <T extends object>(part: T, name: typeof failing, method: keyof T): T =>
    new Proxy(part, {
      get(target, key) {
        if (failing === name && key === method) throw new Error(`${name} is broken`)
        const value = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  const wrapped = new WeakMap<object, unknown>()
  const once = <T extends object>(part: T, name: typeof failing, method: keyof T): T => {
    if (!wrapped.has(part)) wrapped.set(part, failsAt(part, name, method))
    return wrapped.get(part) as T
  }
  const create = () =>
    createRecommender({
      catalogue: () => once(parts.catalogue, 'catalogue', 'get'),
      live: () => (parts.isLive ? once(live, 'pairs', 'goesWith') : null),
      model: () => (parts.model === null ? null : once(parts.model, 'model', 'recommend')),
      now: () => NOW_MS,
      uuid: () => '019bbeac-0000-7000-8000-000000000000',
      clockMs: () => 0,
    })
  return {
    live,
    parts,
    create,
    isFailing: () => failing !== 'nothing',
    recommender: create(),
    fail: (part: typeof failing) => {
      failing = part
    },
  }
}

const KINDS = ['user', 'user in session', 'session', 'similar', 'similar, unknown to the model'] as const

function ask(recommender: Recommender, kind: (typeof KINDS)[number], limit = 2) {
  if (kind === 'similar') return recommender.similar('p1', { limit })
  if (kind === 'similar, unknown to the model') return recommender.similar('p9', { limit })
  if (kind === 'session') return recommender.forSession('s', { limit })
  return recommender.forUser('ani', { limit, sessionId: kind === 'user in session' ? 's' : undefined })
}

const change = fc.oneof(
  fc.record({
    act: fc.constantFrom(...IDS.slice(0, 10)),
    by: fc.constantFrom('ani', 'budi'),
    isInSession: fc.boolean(),
  }),
  fc.record({ model: fc.constantFrom(0, 1, 2) }),
  fc.record({ catalogue: fc.constantFrom('v2', 'v3') }),
  fc.record({ pairs: fc.subarray(IDS) }),
  fc.record({ trend: fc.constantFrom(...IDS) }),
  fc.record({
    fail: fc.constantFrom('nothing' as const, 'catalogue' as const, 'model' as const, 'pairs' as const),
  }),
  fc.record({ isLive: fc.boolean() }),
)

test('what is kept is what would be answered now, whatever changed in between, and nothing of a failure', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
      const { live, parts, create, isFailing, recommender, fail } = openShop()
      for (const step of changes) {
        if ('act' in step) live.act(step.by, step.act, 'view', step.isInSession ? 's' : undefined)
        if ('model' in step) parts.model = step.model === 0 ? null : modelOf(step.model, step.model)
        if ('catalogue' in step)
          parts.catalogue = catalogueOf(step.catalogue, step.catalogue === 'v2' ? 10 : 12)
        if ('pairs' in step) live.pairs = { p9: step.pairs }
        if ('trend' in step)
          live.trends = [{ product_id: step.trend, trend_score: 2, views_today: 1, growth_rate: null }]
        if ('fail' in step) fail(step.fail)
        if ('isLive' in step) parts.isLive = step.isLive
        for (const kind of KINDS) {
          const answer = await ask(recommender, kind)
          if (!isFailing()) expect(answer).toEqual(await ask(create(), kind))
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('products that live state says something of are asked for again, whose answers change with it', async () => {
  const { live, recommender } = openShop()
  const before = await ask(recommender, 'similar, unknown to the model')
  live.pairs = { p9: ['p4', 'p5'] }
  const after = await ask(recommender, 'similar, unknown to the model')
  expect(after.recommendations.map(({ product_id }) => product_id)).toEqual(['p4', 'p5'])
  live.pairs = {}
  expect(await ask(recommender, 'similar, unknown to the model')).toEqual(before)
})

test('of another length, another answer', async () => {
  const { recommender } = openShop()
  for (const limit of [1, 3, 2]) {
    expect((await ask(recommender, 'similar', limit)).recommendations).toHaveLength(limit)
  }
})

test('the same products are the same array as long as nothing changes', async () => {
  const { live, recommender } = openShop()
  live.act('ani', 'p0', 'view', 's')
  for (const kind of KINDS) {
    const first = await ask(recommender, kind)
    expect((await ask(recommender, kind)).recommendations).toBe(first.recommendations)
  }
})

test('what somebody else does in a session the shopper asks with changes the answer', async () => {
  const { live, recommender } = openShop()
  live.act('ani', 'p3')
  live.act('budi', 'p5', 'view', 's')
  const before = await ask(recommender, 'user in session')
  live.act('budi', 'p0', 'view', 's')
  expect(await ask(recommender, 'user in session')).not.toEqual(before)
})
