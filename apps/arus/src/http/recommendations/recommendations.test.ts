import { Clean, Errors } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Recommendation, RecommendationSchema } from '../../api-schema/index.ts'
import { expectProblem, openShop } from '../test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.app.close())

const get = (url: string, headers: Record<string, string> = {}) =>
  shop.app.inject({ method: 'GET', url, headers })

describe('recommendations', () => {
  test('for a user', async () => {
    shop.live.act('ann', 'p0')
    const response = await get('/recommendations/user/ann?limit=3')
    expect(response.statusCode).toBe(200)
    const body = response.json()
    expect(body).toMatchObject({
      user_id: 'ann',
      scenario: 'for_you',
      fallback: null,
      model: { name: 'walk', version: 3 },
    })
    expect(body.recommendations.map((item: { product_id: string }) => item.product_id)).toEqual([
      'p10',
      'p11',
      'p12',
    ])
    expect(body.recommendations[0]).toMatchObject({
      rank: 1,
      title: 'Title of p10',
      list_price: null,
      reason: { kind: 'because_of', because_of: { product_id: 'p0', title: 'Title of p0' } },
    })
    const passport = await get(`/recommendations/${body.recommendation_id}`)
    expect(passport.json()).toMatchObject({
      recommendation_id: body.recommendation_id,
      events: [{ partition: 0, product_id: 'p0', action: 'view' }],
      recomputed: null,
    })
    const again = await get(`/recommendations/${body.recommendation_id}?recompute=true`)
    expect(again.json().recomputed).toEqual({ kind: 'same', reasons: [], result: passport.json().result })
  })

  test('are as their schema says, also when they are given again', async () => {
    shop.live.act('eka', 'p0')
    for (let time = 0; time < 2; time++) {
      const response = await get('/recommendations/user/eka?limit=5')
      expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
      const body = response.json()
      expect(Errors(RecommendationSchema, body)).toEqual([])
      expect(Clean(RecommendationSchema, structuredClone(body))).toEqual(body)
    }
  })

  test('obey category, price and exclude in each of its spellings', async () => {
    const idsOf = async (query: string) =>
      (await get(`/recommendations/user/new?limit=100&${query}`))
        .json()
        .recommendations.map((item: { product_id: string }) => item.product_id)
    expect(await idsOf('category=Toys&max_price=3')).toEqual(['p0', 'p2'])
    expect(await idsOf('category=Toys&max_price=3&exclude=p2,p9')).toEqual(['p0'])
    expect(await idsOf('category=Toys&max_price=3&exclude=p2&exclude=p0')).toEqual([])
  })

  test('for a session, similar, trending', async () => {
    shop.live.act('bob', 'p1', 'view', 's1')
    expect((await get('/recommendations/session/s1?limit=1')).json()).toMatchObject({
      user_id: null,
      recommendations: [{ product_id: 'p20', reason: { kind: 'session' } }],
    })
    expect((await get('/recommendations/similar/p0?limit=1')).json().recommendations).toHaveLength(1)
    shop.live.trends = [{ product_id: 'p7', trend_score: 2, views_today: 5, growth_rate: null }]
    expect((await get('/recommendations/trending?limit=1')).json()).toMatchObject({
      fallback: null,
      trending: [{ product_id: 'p7', trend_score: 2, views_today: 5, growth_rate: null }],
    })
    shop.live.trends = []
  })

  test('for a cart: what goes with its products, none of them; the passport says so, and it is computed again', async () => {
    const body = (await get('/recommendations/cart?products=p0,nope&products=p1&limit=4')).json()
    expect(body).toMatchObject({ user_id: null, scenario: 'cart', fallback: null })
    const ids = body.recommendations.map((item: { product_id: string }) => item.product_id)
    // The product added last counts most.
    expect(ids[0]).toBe('p20')
    expect(ids).toContain('p10')
    expect(ids).not.toContain('p1')
    const passport = (await get(`/recommendations/${body.recommendation_id}?recompute=true`)).json()
    expect(passport.request).toMatchObject({ kind: 'cart', cart: ['p0', 'nope', 'p1'] })
    expect(passport.recomputed).toEqual({ kind: 'same', reasons: [], result: passport.result })
    expect((await get('/recommendations/cart?products=nope&limit=1')).json().fallback).toBe('popular')
    for (const query of ['', '?products=', `?products=${Array(101).fill('p').join(',')}`]) {
      const problem = await expectProblem(await get(`/recommendations/cart${query}`), 400, 'REQUEST_INVALID')
      expect(problem.errors).toContainEqual({ pointer: '/products', reason: expect.any(String) })
    }
  })

  test('pages hold no product twice, though the shopper goes on meanwhile', async () => {
    shop.live.act('cara', 'p0')
    const seen: string[] = []
    let cursor: string | null = ''
    for (let page = 0; cursor !== null; page++) {
      const response = await get(`/recommendations/user/cara?limit=7&cursor=${cursor}`)
      const body = response.json() as Recommendation
      seen.push(...body.recommendations.map(({ product_id }) => product_id))
      if (page === 1) shop.live.act('cara', 'p1')
      cursor = body.next_cursor ?? null
    }
    expect(seen.length).toBeGreaterThan(14)
    expect(new Set(seen).size).toBe(seen.length)
  })

  test('an unknown user gets a fallback that says so', async () => {
    expect((await get('/recommendations/user/%F0%9F%9B%92?limit=1')).json()).toMatchObject({
      user_id: '🛒',
      fallback: 'popular',
    })
  })

  test.each([
    ['limit=0', '/limit'],
    ['limit=101', '/limit'],
    ['limit=abc', '/limit'],
    ['limit=', '/limit'],
    ['limit=1.5', '/limit'],
    ['limit=1&limit=2', '/limit'],
    ['cursor=nonsense', '/cursor'],
    ['cursor=WzFd', '/cursor'],
    [`cursor=${'x'.repeat(4_001)}`, '/cursor'],
    ['min_price=-1', '/min_price'],
    ['min_price=9&max_price=3', '/min_price'],
    ['scenario=%3Cscript%3E', '/scenario'],
  ])('refuse %s, pointing at %s', async (query, pointer) => {
    const problem = await expectProblem(
      await get(`/recommendations/user/ann?${query}`),
      400,
      'REQUEST_INVALID',
    )
    expect(problem.errors).toContainEqual({ pointer, reason: expect.any(String) })
  })

  test('an unknown product, an unknown passport', async () => {
    await expectProblem(await get('/recommendations/similar/nope'), 404, 'PRODUCT_UNKNOWN')
    await expectProblem(await get('/recommendations/0190-nope'), 404, 'RECOMMENDATION_UNKNOWN')
  })
})
