import fc from 'fast-check'
import { v7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import type { Rule } from '../../rules/rule.ts'
import { RulesByScenario } from '../../rules/rules-by-scenario.ts'
import { ruleOf } from '../../rules/test-rules.ts'
import type { Passport } from '../passport/passport.ts'
import { recompute } from '../passport/recompute.ts'
import type { RecommendationRequest } from '../recommendation.ts'
import { createRecommender } from '../recommender.ts'
import { rememberInMemory } from '../remembered-products.ts'
import { productNamed, ShopCatalogue, ShopLive, ShopModel } from '../test-shop.ts'

const NOW_MS = Date.UTC(2026, 0, 15)
const CATEGORIES = ['Toys', 'Books', 'Garden']
const IDS = Array.from({ length: 30 }, (_, i) => `p${i}`)
const PRODUCTS = IDS.map((id, i) =>
  productNamed(id, {
    category_id: i % 3,
    category: CATEGORIES[i % 3] as string,
    price: i,
    title: `Title of ${id} in ${i % 5}`,
  }),
)
const categoryOf = (id: string) => PRODUCTS.find(({ product_id }) => product_id === id)?.category

/** A shop with rules, in which parts can be taken away. */
function openShop(
  rules: readonly Rule[],
  there: { model?: boolean; catalogue?: boolean; live?: boolean } = {},
) {
  const catalogue = new ShopCatalogue(PRODUCTS)
  const live = new ShopLive(() => NOW_MS)
  const model = new ShopModel({
    p0: ['p4', 'p5', 'p7', 'p10', 'p13', 'p16', 'p2', 'p8'],
    p1: ['p6', 'p2', 'p3', 'p9', 'p12'],
  })
  const parts = { catalogue: true, live: true, model: true, ...there }
  const remembered = rememberInMemory()
  remembered.remember(PRODUCTS.slice(0, 20))
  const passports: Passport[] = []
  const byScenario = new RulesByScenario(rules, 1)
  const recommender = createRecommender({
    catalogue: () => (parts.catalogue ? catalogue : null),
    live: () => (parts.live ? live : null),
    model: () => (parts.model ? model : null),
    rules: (scenario, atMs) => byScenario.at(scenario, atMs),
    remembered,
    onAnswer: (passport) => passports.push(JSON.parse(JSON.stringify(passport)) as Passport),
    now: () => NOW_MS,
    uuid: v7,
  })
  const again = (passport: Passport) =>
    recompute(passport, {
      readEvents: (places) => live.eventsAt(places),
      loadModel: async () => model,
      catalogue: () => catalogue,
      rulesAt: async () => rules,
    })
  return { recommender, live, passports, again }
}

async function ask(rules: readonly Rule[], request: Partial<RecommendationRequest> = {}, there = {}) {
  const shop = openShop(rules, there)
  shop.live.act('ani', 'p0')
  const answer = await shop.recommender.forUser('ani', { limit: 6, ...request })
  const ids = answer.recommendations.map(({ product_id }) => product_id)
  return { ...shop, answer, ids, passport: shop.passports[0] as Passport }
}

const PLAIN = ['p4', 'p5', 'p7', 'p10', 'p13', 'p16']

describe('what each kind of rule does', () => {
  test('no rule: by score', async () => {
    expect((await ask([])).ids).toEqual(PLAIN)
    expect((await ask([])).passport).not.toHaveProperty('rules')
  })

  test('a boost raises within its level, a bury lowers; both say so', async () => {
    const rules = [
      ruleOf({ kind: 'boost', products: ['p13'], factor: 10 }),
      ruleOf({ kind: 'bury', categories: ['toys'], min_price: 3, max_price: 5, factor: 0.01 }),
    ]
    const { ids, passport, answer } = await ask(rules)
    expect(ids[0]).toBe('p13')
    expect(ids.slice(1)).toEqual(['p4', 'p5', 'p7', 'p10', 'p16'])
    expect(answer.recommendations[0]?.score).toBeGreaterThan(answer.recommendations[1]?.score ?? 0)
    expect(passport.rules).toMatchObject({
      revision: 1,
      in_force_at: NOW_MS,
      applied: [{ id: rules[0]?.id, kind: 'boost', product_count: 1, products: ['p13'] }],
    })
  })

  test('a product buried goes behind the others of its level', async () => {
    const { ids } = await ask([ruleOf({ kind: 'bury', products: ['p4'], factor: 0.01 })], { limit: 8 })
    expect(ids).toEqual(['p5', 'p7', 'p10', 'p13', 'p16', 'p2', 'p8', 'p4'])
  })

  test('what is excluded is replaced by the next, even by the model’s next', async () => {
    const { ids, passport } = await ask([ruleOf({ kind: 'exclude', categories: ['Books'] })])
    expect(ids.every((id) => categoryOf(id) !== 'Books')).toBe(true)
    expect(ids.slice(0, 2)).toEqual(['p5', 'p2'])
    expect(passport.rules?.applied[0]?.products).toEqual(expect.arrayContaining(['p4', 'p7', 'p10']))
  })

  test('excluded by price: known only when facts are', async () => {
    const { ids } = await ask([ruleOf({ kind: 'exclude', min_price: 10, max_price: 20 })])
    expect(ids.slice(0, 5)).toEqual(['p4', 'p5', 'p7', 'p2', 'p8'])
  })

  test('pins stand at their ranks; of two for one place the second comes next', async () => {
    const pin = (product_id: string, rank: number) => ruleOf({ kind: 'pin', product_id, rank })
    const { ids, answer, passport } = await ask([pin('p20', 2), pin('p21', 2), pin('p4', 6), pin('p22', 7)])
    expect(ids).toEqual(['p5', 'p20', 'p21', 'p7', 'p10', 'p4'])
    expect(answer.recommendations[1]?.reason).toEqual({ kind: 'pinned' })
    expect(passport.rules?.applied.map(({ products }) => products[0])).toEqual(['p20', 'p21', 'p4'])
    expect(answer.fallback).toBeNull()
  })

  test('pins keep to the filters, to what was bought, to what exists and to what is excluded', async () => {
    const rules = ['p20', 'p21', 'p22', 'p0', 'gone', 'p23', 'p1'].map((product_id, i) =>
      ruleOf({ kind: 'pin', product_id, rank: i + 1 }),
    )
    const shop = openShop([...rules, ruleOf({ kind: 'exclude', products: ['p22'] })])
    shop.live.act('ani', 'p0', 'purchase')
    shop.live.act('ani', 'p1')
    const request = { limit: 5, exclude: ['p21'], maxPrice: 22 }
    const { recommendations } = await shop.recommender.forUser('ani', request)
    const pinned = recommendations.filter(({ reason }) => reason.kind === 'pinned')
    expect(pinned.map(({ product_id }) => product_id)).toEqual(['p20'])
    const all = (await shop.recommender.forUser('ani', { ...request, limit: 8 })).recommendations
    expect(all.filter(({ reason }) => reason.kind === 'pinned').map(({ product_id }) => product_id)).toEqual([
      'p20',
      // Only looked at.
      'p1',
    ])
  })

  test('nothing of a cart is pinned, nor the product that others are to be like', async () => {
    const { recommender } = openShop([ruleOf({ kind: 'pin', product_id: 'p3', rank: 1 })])
    const idsOf = (answer: Awaited<ReturnType<typeof recommender.forCart>>) =>
      answer.recommendations.map(({ product_id }) => product_id)
    expect(idsOf(await recommender.forCart(['p1', 'p3'], { limit: 5 }))).not.toContain('p3')
    expect(idsOf(await recommender.forCart(['p1'], { limit: 5 }))[0]).toBe('p3')
    expect(idsOf(await recommender.similar('p3', { limit: 5 }))).not.toContain('p3')
    expect(idsOf(await recommender.similar('p1', { limit: 5 }))[0]).toBe('p3')
  })

  test('a cap holds, and the answer is filled up from below', async () => {
    const { ids, passport } = await ask([ruleOf({ kind: 'cap', per_category: 2 })])
    expect(ids).toHaveLength(6)
    for (const category of CATEGORIES) {
      expect(ids.filter((id) => categoryOf(id) === category)).toHaveLength(2)
    }
    expect(passport.rules?.applied[0]).toMatchObject({
      kind: 'cap',
      products: expect.arrayContaining(['p10']),
    })
  })

  test('a cap of some categories leaves the others alone; the strictest counts', async () => {
    const cap = (per_category: number, categories: string[]) =>
      ruleOf({ kind: 'cap', per_category, categories })
    const { ids } = await ask([cap(1, ['books']), cap(3, ['1'])])
    expect(ids.filter((id) => categoryOf(id) === 'Books')).toEqual(['p4'])
    expect(ids.slice(0, 4)).toEqual(['p4', 'p5', 'p2', 'p8'])
  })

  test('diversify brings what differs from those above it further up', async () => {
    const alike = async (rules: readonly Rule[]) => {
      const { recommender, passports } = openShop(rules)
      const { recommendations } = await recommender.similar('p1', { limit: 4 })
      return { of: recommendations.map(({ category }) => category), passport: passports[0] }
    }
    expect((await alike([])).of).toEqual(['Toys', 'Garden', 'Toys', 'Books'])
    const { of, passport } = await alike([ruleOf({ kind: 'diversify', lambda: 0.3 })])
    expect(of.slice(0, 3)).toEqual(['Toys', 'Garden', 'Books'])
    expect(passport?.rules?.applied).toMatchObject([{ kind: 'diversify', products: ['p4'] }])
    expect((await ask([ruleOf({ kind: 'diversify', lambda: 1 })])).ids).toEqual(PLAIN)
  })

  test('explore states for each place how likely it was', async () => {
    const { passport, ids } = await ask([ruleOf({ kind: 'explore', probability: 1, pool: 4 })])
    expect(passport.exploration).toEqual({ probability: 1, pool: 4 })
    expect(passport.result.slice(0, 5).map(({ propensity }) => propensity)).toEqual([
      0.25, 0.333333, 0.5, 1, 1,
    ])
    expect(ids.slice(4)).toEqual(['p13', 'p16'])
    expect(passport.rules?.applied[0]?.products).toHaveLength(4)
  })

  test('trends: what is excluded stays out, and nothing is drawn, since nothing would tell of it', () => {
    const shop = openShop([
      ruleOf({ kind: 'exclude', products: ['p7'] }),
      ruleOf({ kind: 'explore', probability: 1, scenarios: ['trending'] }),
      ruleOf({ kind: 'pin', product_id: 'p20', rank: 1 }),
      ruleOf({ kind: 'pin', product_id: 'p21', rank: 2, scenarios: ['trending'] }),
    ])
    shop.live.trends = ['p7', 'p8', 'p9'].map((product_id, i) => ({
      product_id,
      trend_score: 3 - i,
      views_today: 1,
      growth_rate: null,
    }))
    const { trending, fallback } = shop.recommender.trending(3)
    expect(trending.map(({ product_id }) => product_id)).toEqual(['p8', 'p21', 'p9'])
    expect(fallback).toBeNull()
  })
})

describe('levels below the model', () => {
  test.each([
    ['no model', { model: false }],
    ['no live state', { live: false }],
    ['no catalogue, no live state', { catalogue: false, live: false }],
    ['nothing', { catalogue: false, live: false, model: false }],
  ])('%s: what is excluded stays out and pins come', async (_, there) => {
    const rules = [
      ruleOf({ kind: 'exclude', categories: ['Toys'] }),
      ruleOf({ kind: 'pin', product_id: 'p19', rank: 1 }),
      ruleOf({ kind: 'cap', per_category: 3 }),
    ]
    const { ids } = await ask(rules, {}, there)
    expect(ids[0]).toBe('p19')
    expect(ids.length).toBeGreaterThan(3)
    expect(ids.filter((id) => categoryOf(id) === 'Toys')).toEqual([])
  })

  test('with the catalogue gone, what might be excluded is left out', async () => {
    const rules = [ruleOf({ kind: 'exclude', min_price: 4 })]
    const { ids } = await ask(rules, {}, { catalogue: false })
    expect(ids).toEqual(['p0', 'p1', 'p2', 'p3'])
  })
})

const targetArbitrary = fc.oneof(
  fc.record({ products: fc.subarray(IDS, { minLength: 1, maxLength: 6 }) }),
  fc.record({ categories: fc.subarray(CATEGORIES, { minLength: 1, maxLength: 2 }) }),
  fc.record({ min_price: fc.integer({ min: 0, max: 30 }) }),
)
const ruleArbitrary = fc.oneof(
  targetArbitrary.map((target) => ({ kind: 'exclude', ...target })),
  targetArbitrary.map((target) => ({ kind: 'boost', factor: 3, ...target })),
  targetArbitrary.map((target) => ({ kind: 'bury', factor: 0.3, ...target })),
  fc.record({
    kind: fc.constant('pin'),
    product_id: fc.constantFrom(...IDS),
    rank: fc.integer({ min: 1, max: 12 }),
  }),
  fc.record({ kind: fc.constant('diversify'), lambda: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('cap'), per_category: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant('explore'),
    probability: fc.double({ min: 0, max: 1, noNaN: true }),
    pool: fc.integer({ min: 1, max: 10 }),
  }),
)
const asksArbitrary = fc.record({
  rules: fc.array(ruleArbitrary, { maxLength: 6 }),
  kind: fc.constantFrom('user', 'session', 'similar', 'cart'),
  limit: fc.integer({ min: 1, max: 12 }),
  category: fc.constantFrom(undefined, 'toys'),
  exclude: fc.subarray(IDS, { maxLength: 3 }),
  acts: fc.array(fc.tuple(fc.constantFrom(...IDS.slice(0, 6)), fc.constantFrom('view', 'purchase')), {
    maxLength: 5,
  }),
  trends: fc.subarray(IDS, { maxLength: 6 }),
  model: fc.boolean(),
  live: fc.boolean(),
  catalogue: fc.boolean(),
})

async function asked({
  rules,
  acts,
  trends,
  kind,
  limit,
  category,
  exclude,
  ...there
}: {
  readonly rules: readonly object[]
  readonly kind: string
  readonly limit: number
  readonly category: string | undefined
  readonly exclude: readonly string[]
  readonly acts: readonly (readonly [string, string])[]
  readonly trends: readonly string[]
  readonly model: boolean
  readonly live: boolean
  readonly catalogue: boolean
}) {
  const made = rules.map((rule) => ruleOf(rule as Record<string, unknown>))
  const shop = openShop(made, there)
  for (const [product, action] of acts) shop.live.act('ani', product, action, 's1')
  shop.live.trends = trends.map((product_id, i) => ({
    product_id,
    trend_score: 9 - i / 3,
    views_today: 1,
    growth_rate: null,
  }))
  const request = { limit, category, exclude }
  const { recommender } = shop
  const answer =
    kind === 'similar'
      ? await recommender.similar('p1', request).catch(() => null)
      : kind === 'cart'
        ? await recommender.forCart(['p0', 'p1'], request)
        : kind === 'session'
          ? await recommender.forSession('s1', request)
          : await recommender.forUser('ani', request)
  return { ...shop, made, answer, passport: shop.passports[0] }
}

describe('whatever the rules', () => {
  test('nothing excluded, filtered or bought comes, nothing twice, no more than asked for; caps hold but for pins', async () => {
    await fc.assert(
      fc.asyncProperty(asksArbitrary, async (ask) => {
        const { made, answer } = await asked(ask)
        if (answer === null) return
        const items = answer.recommendations
        const ids = items.map(({ product_id }) => product_id)
        expect(new Set(ids).size).toBe(ids.length)
        expect(ids.length).toBeLessThanOrEqual(ask.limit)
        expect(items.map(({ rank }) => rank)).toEqual(ids.map((_, i) => i + 1))
        for (const id of ids) {
          const product = PRODUCTS.find(({ product_id }) => product_id === id)!
          expect(ask.exclude).not.toContain(id)
          if (ask.category !== undefined) expect(product.category).toBe('Toys')
          for (const rule of made) {
            if (rule.kind !== 'exclude') continue
            expect(rule.products ?? []).not.toContain(id)
            expect(rule.categories ?? []).not.toContain(product.category)
            if (rule.min_price !== undefined) expect(product.price).toBeLessThan(rule.min_price)
          }
        }
        if (ask.live && ask.kind === 'user') {
          const bought = ask.acts.filter(([, action]) => action === 'purchase').map(([id]) => id)
          expect(ids.filter((id) => bought.includes(id))).toEqual([])
        }
        const caps = made.flatMap((rule) => (rule.kind === 'cap' ? [rule.per_category] : []))
        if (caps.length === 0 || !ask.catalogue) return
        for (const category of CATEGORIES) {
          const of = items.filter(({ product_id }) => categoryOf(product_id) === category)
          const pinned = of.filter(({ reason }) => reason.kind === 'pinned').length
          expect(of.length).toBeLessThanOrEqual(Math.max(pinned, Math.min(...caps)))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('a pin stands at its rank where it may be shown at all and nothing else is pinned there', async () => {
    await fc.assert(
      fc.asyncProperty(asksArbitrary, fc.integer({ min: 1, max: 6 }), async (ask, rank) => {
        const rules = ask.rules.filter((rule) => 'kind' in rule && !['pin', 'exclude'].includes(rule.kind))
        const pin = { kind: 'pin', product_id: 'p27', rank }
        const all = {
          ...ask,
          rules: [...rules, pin],
          exclude: [],
          category: undefined,
          catalogue: true,
          limit: 8,
        }
        const { answer } = await asked(all)
        if (answer === null) return
        const found = answer.recommendations.find(({ product_id }) => product_id === 'p27')
        expect(found?.rank).toBe(Math.min(rank, answer.recommendations.length))
      }),
      { numRuns: 100 },
    )
  })

  test('computed again from its passport, the answer is the same', async () => {
    await fc.assert(
      fc.asyncProperty(asksArbitrary, async (ask) => {
        const shop = await asked({ ...ask, catalogue: true })
        shop.live.trends = []
        for (const id of IDS.slice(6, 12)) shop.live.act('ani', id, 'view', 's1')
        if (shop.passport === undefined) return
        expect(await shop.again(shop.passport)).toEqual({
          kind: 'same',
          reasons: [],
          result: shop.passport.result,
        })
      }),
      { numRuns: 300 },
    )
  })

  test('pages hold no product twice, and pins stand at their ranks over all pages', async () => {
    const pinnedArbitrary = fc.array(ruleArbitrary, { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(pinnedArbitrary, fc.integer({ min: 1, max: 7 }), async (bodies, limit) => {
        const shop = openShop([
          ...bodies.filter(({ kind }) => kind !== 'pin' && kind !== 'exclude').map((body) => ruleOf(body)),
          ruleOf({ kind: 'pin', product_id: 'p28', rank: 9 }),
          ruleOf({ kind: 'pin', product_id: 'p29', rank: 1 }),
        ])
        shop.live.act('ani', 'p0')
        const shown: string[] = []
        for (let page = 0; page < 4; page++) {
          const { recommendations } = await shop.recommender.forUser('ani', {
            limit,
            exclude: [...shown],
            shownCount: shown.length,
          })
          shown.push(...recommendations.map(({ product_id }) => product_id))
        }
        expect(new Set(shown).size).toBe(shown.length)
        expect(shown[0]).toBe('p29')
      }),
      { numRuns: 60 },
    )
  })
})

test('a revision that is no longer known is said, not guessed', async () => {
  const { passport, live } = await ask([ruleOf({ kind: 'cap', per_category: 1 })])
  const { kind, reasons } = await recompute(passport, {
    readEvents: (places) => live.eventsAt(places),
    loadModel: async () => ({ gone: 'x' }),
    catalogue: () => new ShopCatalogue(PRODUCTS),
    rulesAt: async () => null,
  })
  expect(kind).toBe('impossible')
  expect(reasons.join(' ')).toMatch(/revision 1/)
})

test('rules that throw are reported, and the answer comes without them', async () => {
  const faults: string[] = []
  const recommender = createRecommender({
    catalogue: () => new ShopCatalogue(PRODUCTS),
    live: () => null,
    model: () => null,
    rules: () => {
      throw new TypeError('broken')
    },
    onFault: ({ level }) => faults.push(level),
    now: () => NOW_MS,
    uuid: v7,
  })
  expect((await recommender.forUser('ani', { limit: 2 })).recommendations).toHaveLength(2)
  expect(faults).toEqual(['rules'])
})
