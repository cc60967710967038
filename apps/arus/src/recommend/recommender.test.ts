import { v7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { LiveState } from '../live/live-state.ts'
import type { ServingModel, SessionUse } from '../training/serving-model.ts'
import type { LevelFault } from './fault-reporter.ts'
import type { Passport } from './passport/passport.ts'
import { createRecommender } from './recommender.ts'
import type { RecommenderOptions } from './recommender-options.ts'
import { rememberInMemory } from './remembered-products.ts'
import { productNamed, ShopCatalogue, ShopLive, ShopModel } from './test-shop.ts'

const NOW_MS = Date.UTC(2026, 0, 15, 12)
const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const

function shop(changes: Pick<RecommenderOptions, 'isWithheld'> = {}) {
  const catalogue = new ShopCatalogue(
    IDS.map((id, position) =>
      productNamed(id, {
        category_id: position < 4 ? 1 : 2,
        category: position < 4 ? 'Toys' : 'Books',
        price: 10 * (position + 1),
      }),
    ),
  )
  const live = new ShopLive(() => NOW_MS)
  live.trends = [{ product_id: 'h', trend_score: 3.5, views_today: 40, growth_rate: 0.5 }]
  const model = new ShopModel({ a: ['e', 'f'], b: ['g', 'c'], c: ['d', 'a'] })
  const passports: Passport[] = []
  const faults: LevelFault[] = []
  const parts: { catalogue: Catalogue | null; live: LiveState | null; model: ServingModel | null } = {
    catalogue,
    live,
    model,
  }
  const recommender = createRecommender({
    catalogue: () => parts.catalogue,
    live: () => parts.live,
    model: () => parts.model,
    remembered: rememberInMemory(),
    onAnswer: (passport) => passports.push(passport),
    onFault: (fault) => faults.push(fault),
    now: () => NOW_MS,
    uuid: v7,
    ...changes,
  })
  return { recommender, parts, live, model, catalogue, passports, faults }
}

const idsOf = (answer: { recommendations: readonly { product_id: string }[] }) =>
  answer.recommendations.map(({ product_id }) => product_id)

describe('a shopper the model can use', () => {
  test('but who was erased since it was trained is answered without it, by name and by session', async () => {
    const { recommender, live, passports } = shop({ isWithheld: (name) => name === 'u1' })
    live.act('u1', 'a')
    live.act('u2', 'a')
    expect((await recommender.forUser('u1', { limit: 2 })).model).toBeNull()
    expect((await recommender.forSession('u1', { limit: 2 })).model).toBeNull()
    expect((await recommender.forUser('u2', { limit: 2 })).model).toMatchObject({ version: 3 })
    expect(passports.map(({ parts }) => parts?.model)).toEqual([null, null, 3])
  })

  test('gets what goes with their products, with the reason and the product’s facts', async () => {
    const { recommender, live } = shop()
    live.act('u1', 'a')
    const answer = await recommender.forUser('u1', { limit: 2 })
    expect(answer).toMatchObject({
      user_id: 'u1',
      scenario: 'for_you',
      fallback: null,
      model: { name: 'walk', version: 3 },
    })
    expect(idsOf(answer)).toEqual(['e', 'f'])
    expect(answer.recommendations[0]).toMatchObject({
      rank: 1,
      title: 'Title of e',
      category: 'Books',
      price: 50,
      reason: { kind: 'because_of', because_of: { product_id: 'a', title: 'Title of a' } },
    })
    expect(answer.recommendation_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    expect(live.answered).toBe(1)
  })

  test('gets another answer with their very next event', async () => {
    const { recommender, live } = shop()
    live.act('u1', 'a')
    const before = await recommender.forUser('u1', { limit: 3 })
    live.act('u1', 'b')
    const after = await recommender.forUser('u1', { limit: 3 })
    expect(idsOf(before)[0]).toBe('e')
    expect(idsOf(after)[0]).toBe('g')
    expect(after.recommendations[0]?.reason.because_of?.product_id).toBe('b')
  })

  test('is never shown what they bought, saw, or excluded', async () => {
    const { recommender, live } = shop()
    live.act('u1', 'e', 'purchase')
    live.act('u1', 'a')
    const answer = await recommender.forUser('u1', { limit: 100, exclude: ['f'] })
    expect(idsOf(answer)).not.toContain('e')
    expect(idsOf(answer)).not.toContain('f')
    expect(idsOf(answer)).not.toContain('a')
  })

  test('is shown only the category and price asked for', async () => {
    const { recommender, live } = shop()
    live.act('u1', 'a')
    live.act('u1', 'b')
    const books = await recommender.forUser('u1', { limit: 100, category: 'books' })
    expect(books.recommendations.every(({ category }) => category === 'Books')).toBe(true)
    expect(idsOf(await recommender.forUser('u1', { limit: 100, category: '2' }))).toEqual(idsOf(books))
    const cheap = await recommender.forUser('u1', { limit: 100, minPrice: 30, maxPrice: 60 })
    expect(cheap.recommendations.length).toBeGreaterThan(0)
    expect(cheap.recommendations.every(({ price }) => price !== null && price >= 30 && price <= 60)).toBe(
      true,
    )
  })

  test('gets the same products as long as they do nothing, whatever else was asked for between', async () => {
    const { recommender, live } = shop()
    live.act('u1', 'a')
    const first = await recommender.forUser('u1', { limit: 2 })
    expect(idsOf(first)).toEqual(['e', 'f'])
    const next = await recommender.forUser('u1', { limit: 2 })
    expect(next.recommendations).toBe(first.recommendations)
    expect(next.recommendation_id).not.toBe(first.recommendation_id)
    expect(idsOf(await recommender.forUser('u1', { limit: 1 }))).toEqual(['e'])
    expect(idsOf(await recommender.forUser('u1', { limit: 2, maxPrice: 50 }))).not.toContain('f')
    expect(idsOf(await recommender.forUser('u1', { limit: 2, exclude: ['e'] }))[0]).toBe('f')
    const again = await recommender.forUser('u1', { limit: 2 })
    expect(again.recommendations).toEqual(first.recommendations)
    live.act('u1', 'b')
    expect(idsOf(await recommender.forUser('u1', { limit: 2 }))).not.toEqual(['e', 'f'])
  })

  test('an unknown category gives an empty answer that says static', async () => {
    const { recommender, live } = shop()
    live.act('u1', 'a')
    const answer = await recommender.forUser('u1', { limit: 5, category: 'No such thing' })
    expect(answer).toMatchObject({ recommendations: [], fallback: 'static', model: null })
  })

  test('the session under way comes before the long past', async () => {
    const { recommender, live } = shop()
    live.act('u1', 'a')
    live.act('visitor', 'b', 'view', 's1')
    const answer = await recommender.forUser('u1', { limit: 2, sessionId: 's1' })
    expect(answer.recommendations[0]).toMatchObject({ product_id: 'g', reason: { kind: 'session' } })
    const session = await recommender.forSession('s1', { limit: 2 })
    expect(session).toMatchObject({ user_id: null, scenario: 'session', fallback: null })
    expect(idsOf(session)[0]).toBe('g')
  })

  describe('with a model of sessions', () => {
    const follows = { a: ['h', 'g', 'f', 'e', 'd', 'c'], b: ['h'] }
    const withSessions = (use: SessionUse) => {
      const opened = shop()
      opened.parts.model = new ShopModel({ a: ['e', 'f'], b: ['g', 'c'] }, 3, { follows, use })
      return opened
    }
    const retrieversOf = ({ passports }: { passports: readonly Passport[] }) =>
      passports.at(-1)?.retrievers.map(({ retriever, weight }) => [retriever, weight])

    test('a session is answered by it alone where it knows enough, with the product that led to it', async () => {
      const opened = withSessions({ anonymous: 'alone', known: 0 })
      opened.live.act('visitor', 'a', 'view', 's1')
      // Six products are less than the twenty wanted to choose from.
      await opened.recommender.forSession('s1', { limit: 1 })
      expect(retrieversOf(opened)).toEqual([
        ['walk', 1],
        ['newest', 1],
        ['vstan', 1],
      ])
      const many = Array.from({ length: 30 }, (_, n) => `gone${n}`)
      opened.parts.model = new ShopModel({ a: ['e', 'f'] }, 3, {
        follows: { a: ['h', ...many] },
        use: { anonymous: 'alone', known: 0 },
      })
      const answer = await opened.recommender.forSession('s1', { limit: 1 })
      expect(answer).toMatchObject({ fallback: null, model: { version: 3 } })
      expect(answer.recommendations).toMatchObject([
        { product_id: 'h', reason: { kind: 'session', because_of: { product_id: 'a' } } },
      ])
      expect(retrieversOf(opened)).toEqual([['vstan', 1]])
    })

    test('what it knows nothing of is answered as without it', async () => {
      const opened = withSessions({ anonymous: 'alone', known: 0 })
      opened.live.act('visitor', 'd', 'view', 's1')
      expect((await opened.recommender.forSession('s1', { limit: 2 })).fallback).toBe('session')
      opened.live.act('visitor', 'b', 'view', 's2')
      expect(idsOf(await opened.recommender.forSession('s2', { limit: 3 }))).toEqual(['g', 'c', 'h'])
    })

    test('a shopper asks with a session: beside the others, by its share; without a session not at all', async () => {
      const opened = withSessions({ anonymous: 0, known: 2 })
      opened.live.act('u1', 'b')
      opened.live.act('visitor', 'a', 'view', 's1')
      await opened.recommender.forUser('u1', { limit: 2, sessionId: 's1' })
      expect(retrieversOf(opened)).toEqual([
        ['walk', 1],
        ['newest', 1],
        ['vstan', 2],
      ])
      await opened.recommender.forUser('u1', { limit: 2 })
      expect(retrieversOf(opened)).not.toContainEqual(['vstan', 2])
      await opened.recommender.forSession('s1', { limit: 2 })
      expect(retrieversOf(opened)).not.toContainEqual(['vstan', 2])
    })

    test('what was just looked at does not come again', async () => {
      const opened = withSessions({ anonymous: 1, known: 0 })
      opened.live.act('visitor', 'h', 'view', 's1')
      opened.live.act('visitor', 'a', 'view', 's1')
      expect(idsOf(await opened.recommender.forSession('s1', { limit: 8 }))).not.toContain('h')
    })
  })

  test('after an import, a product that left is not recommended and another has its new title', async () => {
    const { recommender, live, parts } = shop()
    live.act('u1', 'a')
    await recommender.forUser('u1', { limit: 5 })
    parts.catalogue = new ShopCatalogue([productNamed('a'), productNamed('f', { title: 'New title' })], 'v2')
    live.act('u1', 'a')
    const answer = await recommender.forUser('u1', { limit: 5 })
    expect(answer.recommendations).toMatchObject([{ product_id: 'f', title: 'New title' }])
  })
})

describe('each level stands in when the one above is taken away', () => {
  test('model gone: session, from the live history', async () => {
    const { recommender, live, parts } = shop()
    live.act('u1', 'a')
    parts.model = null
    const answer = await recommender.forUser('u1', { limit: 2 })
    expect(answer).toMatchObject({ fallback: 'session', model: null })
    expect(answer.recommendations[0]).toMatchObject({
      product_id: 'b',
      reason: { kind: 'similar', because_of: { product_id: 'a', title: 'Title of a' } },
    })
  })

  test('model without any knowledge of the history: session', async () => {
    const { recommender, live } = shop()
    live.act('u1', 'h')
    expect(await recommender.forUser('u1', { limit: 2 })).toMatchObject({ fallback: 'session', model: null })
  })

  test('shopper unknown: trending, filled up with popular', async () => {
    const { recommender } = shop()
    const answer = await recommender.forUser('nobody', { limit: 3 })
    expect(answer.fallback).toBe('trending')
    expect(answer.recommendations.map(({ reason }) => reason.kind)).toEqual([
      'trending',
      'popular',
      'popular',
    ])
  })

  test('history unreadable: trending, and the fault is told', async () => {
    const { recommender, live, faults } = shop()
    live.history = () => Promise.reject(new Error('disk gone'))
    expect((await recommender.forUser('u1', { limit: 1 })).fallback).toBe('trending')
    expect(faults).toMatchObject([{ level: 'live state', count: 1 }])
  })

  test('live state gone: popular of the model', async () => {
    const { recommender, parts } = shop()
    parts.live = null
    const answer = await recommender.forUser('u1', { limit: 2 })
    expect(answer.fallback).toBe('popular')
    expect(idsOf(answer)).toEqual(['a', 'b'])
  })

  test('live state and model gone: popular of the catalogue', async () => {
    const { recommender, parts } = shop()
    parts.live = null
    parts.model = null
    const answer = await recommender.forUser('u1', { limit: 8 })
    expect(answer.fallback).toBe('popular')
    expect(idsOf(answer)).toEqual([...IDS])
  })

  test('catalogue gone too: what was remembered of it', async () => {
    const { recommender, parts } = shop()
    await recommender.forUser('u1', { limit: 1 })
    parts.live = null
    parts.model = null
    parts.catalogue = null
    const answer = await recommender.forUser('u1', { limit: 3, maxPrice: 20 })
    expect(answer.fallback).toBe('static')
    expect(answer.recommendations).toMatchObject([
      { product_id: 'a', title: 'Title of a', reason: { kind: 'static' } },
      { product_id: 'b', reason: { kind: 'static' } },
    ])
  })

  test('everything gone from the start: an empty answer that says static', async () => {
    const { recommender, parts } = shop()
    parts.live = null
    parts.model = null
    parts.catalogue = null
    expect(await recommender.forUser('u1', { limit: 3 })).toMatchObject({
      recommendations: [],
      fallback: 'static',
    })
  })

  test('catalogue gone, model there: the model’s answer without titles', async () => {
    const { recommender, live, parts } = shop()
    live.act('u1', 'a')
    parts.catalogue = null
    const answer = await recommender.forUser('u1', { limit: 2 })
    expect(answer.fallback).toBeNull()
    expect(answer.recommendations[0]).toMatchObject({ product_id: 'e', title: null, price: null })
  })

  test('every part throws at every call: still an answer', async () => {
    const { recommender, faults } = (() => {
      const broken = new Proxy(
        {},
        {
          get: () => () => {
            throw new TypeError('broken')
          },
        },
      )
      const faults: LevelFault[] = []
      const recommender = createRecommender({
        catalogue: () => broken as Catalogue,
        live: () => broken as LiveState,
        model: () => broken as ServingModel,
        onAnswer: () => {
          throw new TypeError('broken')
        },
        onFault: (fault) => faults.push(fault),
        now: () => NOW_MS,
        uuid: v7,
      })
      return { recommender, faults }
    })()
    expect(await recommender.forUser('u1', { limit: 3 })).toMatchObject({
      recommendations: [],
      fallback: 'static',
    })
    expect(recommender.trending(3)).toMatchObject({ trending: [], fallback: 'static' })
    expect(faults.map(({ level }) => level)).toContain('live state')
  })

  test('a fault that repeats is told once per second', async () => {
    const { recommender, live, faults } = shop()
    live.history = () => Promise.reject(new Error('disk gone'))
    for (let i = 0; i < 10; i++) await recommender.forUser('u1', { limit: 1 })
    expect(faults).toHaveLength(1)
  })
})

test('a cart is answered with what is bought with its products, nobody else is', async () => {
  const { recommender, parts, live, passports } = shop()
  const ordinary = await recommender.forCart(['a', 'b'], { limit: 5 })
  const cart = { follows: { a: ['h'], b: ['d', 'a'] }, share: 3 }
  parts.model = new ShopModel({ a: ['e', 'f'], b: ['g', 'c'], c: ['d', 'a'] }, 4, undefined, cart)
  const answer = await recommender.forCart(['a', 'b'], { limit: 5 })
  // The product added last counts.
  expect(answer.recommendations[0]).toMatchObject({
    product_id: 'd',
    reason: { kind: 'bought_together', because_of: { product_id: 'b', title: 'Title of b' } },
  })
  expect(idsOf(answer).slice(1)).toEqual(idsOf(ordinary).slice(0, 4))
  expect(passports.at(-1)?.retrievers.map(({ retriever, weight }) => [retriever, weight])).toEqual([
    ['walk', 1],
    ['newest', 1],
    ['bought-together', 3],
  ])
  expect((await recommender.forCart(['e'], { limit: 3 })).fallback).not.toBeNull()
  live.act('u1', 'b')
  await recommender.forUser('u1', { limit: 2 })
  expect(passports.at(-1)?.retrievers.map(({ retriever }) => retriever)).not.toContain('bought-together')
})

describe('similar and trending', () => {
  test('similar goes by the model, then by content, and names the product asked about', async () => {
    const { recommender } = shop()
    const answer = await recommender.similar('a', { limit: 3 })
    expect(idsOf(answer)).toEqual(['e', 'f', 'b'])
    expect(answer.recommendations[0]?.reason).toEqual({
      kind: 'similar',
      because_of: { product_id: 'a', title: 'Title of a' },
    })
    expect(answer).toMatchObject({
      user_id: null,
      scenario: 'similar',
      fallback: null,
      model: { version: 3 },
    })
  })

  test('similar to a product nobody touched goes by content, without a model', async () => {
    const { recommender } = shop()
    expect(await recommender.similar('h', { limit: 1 })).toMatchObject({
      fallback: null,
      model: null,
      recommendations: [{ product_id: 'e' }],
    })
  })

  test('a product the model knows nothing of goes by what shoppers saw beside it, and says so', async () => {
    const { recommender, live } = shop()
    live.pairs = { h: ['a', 'd'], a: ['b'] }
    const similar = await recommender.similar('h', { limit: 2 })
    expect(idsOf(similar)).toEqual(['a', 'd'])
    expect(similar).toMatchObject({
      model: null,
      recommendations: [{ reason: { kind: 'seen_together', because_of: { product_id: 'h' } } }, {}],
    })
    expect(idsOf(await recommender.similar('a', { limit: 2 }))).toEqual(['e', 'f'])
    live.act('u1', 'h')
    const answer = await recommender.forUser('u1', { limit: 1 })
    expect(answer).toMatchObject({ fallback: 'session', recommendations: [{ product_id: 'a' }] })
  })

  test('pairs that cannot be read leave content', async () => {
    const { recommender, live, faults } = shop()
    live.goesWith = () => Promise.reject(new RangeError('disk gone'))
    expect(idsOf(await recommender.similar('h', { limit: 1 }))).toEqual(['e'])
    expect(faults.map(({ level }) => level)).toContain('live state')
  })

  test('similar to an unknown product fails with PRODUCT_UNKNOWN', async () => {
    const { recommender } = shop()
    await expect(recommender.similar('nope', { limit: 1 })).rejects.toThrow(
      expect.objectContaining({ code: 'PRODUCT_UNKNOWN' }),
    )
  })

  test('trending gives the figures, and says popular when nothing trends', () => {
    const { recommender, live } = shop()
    expect(recommender.trending(1)).toMatchObject({
      fallback: null,
      trending: [
        {
          product_id: 'h',
          rank: 1,
          title: 'Title of h',
          trend_score: 3.5,
          views_today: 40,
          growth_rate: 0.5,
        },
      ],
    })
    live.trends = []
    expect(recommender.trending(1)).toMatchObject({
      fallback: 'popular',
      trending: [{ trend_score: 0, growth_rate: null }],
    })
  })
})

test('trends of products that left the catalogue are passed over, however many they are', () => {
  const { recommender, live } = shop()
  live.trends = [
    ...Array.from({ length: 40 }, (_, i) => ({
      product_id: `gone${i}`,
      trend_score: 9,
      views_today: 9,
      growth_rate: 1,
    })),
    { product_id: 'h', trend_score: 3.5, views_today: 40, growth_rate: 0.5 },
  ]
  expect(recommender.trending(1).trending).toMatchObject([{ product_id: 'h', views_today: 40 }])
})

test('the passport tells events, candidates, model, filters and result', async () => {
  const { recommender, live, passports } = shop()
  const event = live.act('u1', 'a', 'add_to_cart')
  const answer = await recommender.forUser('u1', { limit: 2, maxPrice: 55, sessionId: 's9' })
  expect(passports).toEqual([
    {
      recommendation_id: answer.recommendation_id,
      user_id: 'u1',
      session_id: 's9',
      scenario: 'for_you',
      generated_at: NOW_MS,
      fallback: null,
      took_ms: answer.took_ms,
      experiments: [],
      events: [{ partition: event.partition, offset: event.offset, product_id: 'a', action: 'add_to_cart' }],
      earlier_events: [],
      session_event_count: 0,
      request: {
        kind: 'user',
        product_id: null,
        limit: 2,
        category: null,
        min_price: null,
        max_price: 55,
        exclude: [],
      },
      parts: { catalogue: 'v1', model: 3, live: true },
      model: answer.model,
      pairs: [],
      retrievers: [
        {
          retriever: 'walk',
          weight: 1,
          candidates: [
            { product_id: 'e', score: 4 },
            { product_id: 'f', score: 2 },
          ],
        },
        {
          retriever: 'newest',
          weight: 1,
          candidates: [
            { product_id: 'e', score: 1 },
            { product_id: 'f', score: 0.5 },
          ],
        },
      ],
      filters: ['already_seen', 'price'],
      result: answer.recommendations.map(({ product_id, rank, score, reason }) => ({
        product_id,
        rank,
        score,
        reason: reason.kind,
      })),
    },
  ])
})
