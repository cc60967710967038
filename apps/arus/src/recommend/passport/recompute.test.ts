import fc from 'fast-check'
import { v7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import type { SessionUse } from '../../training/serving-model.ts'
import { createRecommender } from '../recommender.ts'
import { productNamed, ShopCatalogue, ShopLive, ShopModel } from '../test-shop.ts'
import { type ExplainSource, explainAnswer } from './explain-answer.ts'
import type { Passport } from './passport.ts'
import { passportText, readPassport } from './passport-text.ts'
import { type RecomputeSource, recompute } from './recompute.ts'

const NOW_MS = Date.UTC(2026, 0, 15)
const IDS = Array.from({ length: 14 }, (_, i) => `p${i}`)
const PRODUCTS = IDS.map((id, i) =>
  productNamed(id, {
    category_id: i % 3,
    category: ['Toys', 'Books', 'Garden'][i % 3] as string,
    price: i * 10,
  }),
)

/** A shop that can lose its parts, and what its answers are computed again from. */
function openShop(use: SessionUse = { anonymous: 0, known: 0 }) {
  let clockMs = NOW_MS
  const catalogue = new ShopCatalogue(PRODUCTS)
  const live = new ShopLive(() => (clockMs += 60_000))
  const model = new ShopModel({ p0: ['p4', 'p5'], p1: ['p6', 'p2'], p2: ['p3', 'p0'], p9: ['p1'] }, 3, {
    follows: { p0: IDS.slice(3), p3: ['p9', 'p8'], p5: ['p1'] },
    use,
  })
  const parts = { hasModel: true, hasLive: true, hasCatalogue: true }
  const passports: Passport[] = []
  const recommender = createRecommender({
    catalogue: () => (parts.hasCatalogue ? catalogue : null),
    live: () => (parts.hasLive ? live : null),
    model: () => (parts.hasModel ? model : null),
    onAnswer: (passport) => passports.push(readPassport(passportText(passport))),
    now: () => clockMs,
    uuid: v7,
  })
  const source: RecomputeSource = {
    readEvents: (places) => live.eventsAt(places),
    loadModel: async () => model,
    catalogue: () => catalogue,
    rulesAt: async () => null,
  }
  return { recommender, live, parts, passports, source }
}

const actArbitrary = fc.record({
  shopper: fc.constantFrom('ani', 'budi'),
  product: fc.constantFrom(...IDS),
  action: fc.constantFrom('view', 'add_to_cart', 'remove_from_cart', 'purchase'),
  session: fc.constantFrom(undefined, 's1', 's2'),
})
const askArbitrary = fc.record({
  kind: fc.constantFrom('user', 'session', 'similar'),
  limit: fc.integer({ min: 1, max: 12 }),
  session: fc.constantFrom(undefined, 's1', 'nobody’s'),
  category: fc.constantFrom(undefined, 'toys', 'nothing'),
  maxPrice: fc.constantFrom(undefined, 70),
  exclude: fc.subarray(IDS, { maxLength: 3 }),
  isTrending: fc.boolean(),
  hasModel: fc.boolean(),
  hasLive: fc.boolean(),
})

test('any answer computed again is the same, whatever happened since', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(actArbitrary, { maxLength: 130 }),
      fc.array(askArbitrary, { minLength: 1, maxLength: 4 }),
      fc.array(actArbitrary, { maxLength: 20 }),
      fc.record({
        anonymous: fc.constantFrom<SessionUse['anonymous']>(0, 1, 'alone'),
        known: fc.constantFrom(0, 1, 2),
      }),
      async (acts, asks, later, use) => {
        const { recommender, live, parts, passports, source } = openShop(use)
        for (const { shopper, product, action, session } of acts) live.act(shopper, product, action, session)
        for (const { kind, limit, session, category, maxPrice, exclude, isTrending, ...there } of asks) {
          Object.assign(parts, there)
          live.trends = isTrending
            ? ['p7', 'p8', 'p3'].map((product_id, i) => ({
                product_id,
                trend_score: 9 - i / 3,
                views_today: 1,
                growth_rate: null,
              }))
            : []
          const request = { limit, category, maxPrice, exclude, sessionId: session }
          if (kind === 'similar') recommender.similar('p0', request)
          else if (kind === 'session') await recommender.forSession(session ?? 's2', request)
          else await recommender.forUser('ani', request)
        }
        live.trends = []
        for (const { shopper, product, action, session } of later) live.act(shopper, product, action, session)
        for (const passport of passports) {
          expect(await recompute(passport, source)).toEqual({
            kind: 'same',
            reasons: [],
            result: passport.result,
          })
        }
      },
    ),
    { numRuns: 150 },
  )
})

describe('what stands in the way is said', () => {
  async function answered() {
    const shop = openShop()
    shop.live.act('ani', 'p0')
    await shop.recommender.forUser('ani', { limit: 3 })
    return { ...shop, passport: shop.passports[0] as Passport }
  }

  test('a model version that is gone, events that are gone', async () => {
    const { passport, source } = await answered()
    const without = await recompute(passport, {
      ...source,
      loadModel: async () => ({ gone: 'its file was removed' }),
      readEvents: async (places) => places.map(() => null),
    })
    expect(without.kind).toBe('impossible')
    expect(without.result).toEqual([])
    expect(without.reasons.join(' ')).toMatch(
      /1 of the 1 events.*Model version 3 is gone: its file was removed/,
    )
  })

  test('a catalogue that is away, now or then', async () => {
    const { passport, source, parts, recommender, passports } = await answered()
    expect((await recompute(passport, { ...source, catalogue: () => null })).reasons[0]).toMatch(
      /not there now/,
    )
    parts.hasCatalogue = false
    await recommender.forUser('ani', { limit: 3 })
    expect((await recompute(passports[1] as Passport, source)).reasons[0]).toMatch(/away then/)
  })

  test('another catalogue, and an answer that comes out differently', async () => {
    const { passport, source } = await answered()
    const { kind, reasons } = await recompute(passport, {
      ...source,
      catalogue: () => new ShopCatalogue(PRODUCTS.slice(0, 5), 'v2'),
    })
    expect(kind).toBe('different')
    expect(reasons).toEqual(['The catalogue is another than then (v2 now, v1 then).'])
  })

  test('a passport of before the request was kept is explained, but not computed again', async () => {
    const { passport, source } = await answered()
    const { request, parts, earlier_events, session_event_count, ...older } = passport
    const explain: ExplainSource = {
      ...source,
      find: async () => older as Passport,
      trainingOf: async () => null,
      outcomeOf: async () => {
        throw new TypeError('no lake')
      },
      onFault: (error) => expect(error).toBeInstanceOf(TypeError),
    }
    const explained = await explainAnswer(explain, passport.recommendation_id, { isRecomputed: true })
    expect(explained).toMatchObject({ request: null, earlier_events: [], outcome: null })
    expect(explained?.recomputed).toMatchObject({
      kind: 'impossible',
      reasons: [expect.stringMatching(/earlier version/)],
    })
  })
})
