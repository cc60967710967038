import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Recommendation, RuleBody, RulesPreviewBody } from '../../api-schema/index.ts'
import { expectProblem, openShop } from '../test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
  shop.live.act('ann', 'p0')
})
afterAll(() => shop.app.close())
beforeEach(async () => {
  for (const { id } of await shop.rules.list()) await shop.rules.remove(id)
})

const get = (url: string) => shop.app.inject({ method: 'GET', url })
const send = (method: 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
  shop.app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })

const PIN = { kind: 'pin', name: 'New in', product_id: 'p25', rank: 1 }
const idsOf = async (query = '') =>
  ((await get(`/recommendations/user/ann?limit=3${query}`)).json() as Recommendation).recommendations.map(
    ({ product_id }) => product_id,
  )

describe('/rules', () => {
  test('are made, read, replaced and removed, and in force at once', async () => {
    expect(await idsOf()).toEqual(['p10', 'p11', 'p12'])
    const made = await send('POST', '/rules', PIN)
    expect(made.statusCode).toBe(201)
    const rule = made.json() as RuleBody
    expect(rule).toEqual({
      ...PIN,
      id: expect.any(String),
      enabled: true,
      scenarios: [],
      starts_at: null,
      ends_at: null,
      created_at: expect.any(Number),
      updated_at: rule.created_at,
    })
    expect(await idsOf()).toEqual(['p25', 'p10', 'p11'])
    expect((await get(`/rules/${rule.id}`)).json()).toEqual(rule)
    expect((await get('/rules')).json()).toEqual({ rules: [rule] })

    const other = { kind: 'exclude', name: 'Sold out', products: ['p10'], scenarios: ['for_you'] }
    const replaced = (await send('PUT', `/rules/${rule.id}`, other)).json() as RuleBody
    expect(replaced).toMatchObject({ ...other, id: rule.id, created_at: rule.created_at })
    expect(replaced).not.toHaveProperty('rank')
    expect((await idsOf()).slice(0, 2)).toEqual(['p11', 'p12'])
    expect(await idsOf('&scenario=home')).toEqual(['p10', 'p11', 'p12'])

    expect((await send('DELETE', `/rules/${rule.id}`)).json()).toEqual(replaced)
    expect(await idsOf()).toEqual(['p10', 'p11', 'p12'])
    for (const response of [
      await get(`/rules/${rule.id}`),
      await send('DELETE', `/rules/${rule.id}`),
      await send('PUT', `/rules/${rule.id}`, PIN),
    ])
      await expectProblem(response, 404, 'RULE_UNKNOWN')
  })

  test.each([
    [{ ...PIN, rank: 0 }, '/rank'],
    [{ ...PIN, brand: 'x' }, ''],
    [{ ...PIN, kind: 'raise' }, '/kind'],
    [{ ...PIN, ends_at: 'soon' }, '/ends_at'],
    [[], '/kind'],
  ])('refuse %j, pointing at %s', async (body, pointer) => {
    const problem = await expectProblem(await send('POST', '/rules', body), 400, 'REQUEST_INVALID')
    expect(problem.errors).toContainEqual({ pointer, reason: expect.any(String) })
  })

  test('the passport tells what a rule did, and the answer is computed again by the rules of then', async () => {
    await shop.rules.add({
      ...{ kind: 'explore', name: 'A tenth', probability: 0.5, pool: 5 },
      ...{ enabled: true, scenarios: [], starts_at: null, ends_at: null },
    })
    const { id } = (await send('POST', '/rules', PIN)).json() as RuleBody
    const { recommendation_id } = (await get('/recommendations/user/ann?limit=3')).json()
    await send('DELETE', `/rules/${id}`)
    const passport = (await get(`/recommendations/${recommendation_id}?recompute=true`)).json()
    expect(passport.rules).toMatchObject({
      applied: expect.arrayContaining([
        { id, kind: 'pin', name: 'New in', product_count: 1, products: ['p25'] },
      ]),
    })
    expect(passport.exploration).toEqual({ probability: 0.5, pool: 5 })
    expect(passport.result.map(({ propensity }: { propensity: number }) => typeof propensity)).toEqual([
      'number',
      'number',
      'number',
    ])
    expect(passport.recomputed).toEqual({ kind: 'same', reasons: [], result: passport.result })
  })

  test('pages of an answer hold no product twice, and a pin stands where it is over all of them', async () => {
    await send('POST', '/rules', { ...PIN, rank: 5 })
    await send('POST', '/rules', { kind: 'cap', name: 'Not only toys', per_category: 2 })
    const first = (await get('/recommendations/user/ann?limit=4')).json() as Recommendation
    const url = `/recommendations/user/ann?limit=4&cursor=${first.next_cursor}`
    const second = (await get(url)).json() as Recommendation
    const ids = [...first.recommendations, ...second.recommendations].map(({ product_id }) => product_id)
    expect(ids[4]).toBe('p25')
    expect(new Set(ids).size).toBe(8)
    const passport = (await get(`/recommendations/${second.recommendation_id}?recompute=true`)).json()
    expect(passport.request.shown_count).toBe(4)
    expect(passport.recomputed.kind).toBe('same')
  })
})

describe('/rules/preview', () => {
  test('tells what would change and why, and keeps, counts and logs nothing', async () => {
    const kept = (await send('POST', '/rules', PIN)).json() as RuleBody
    const [answered, passports] = [shop.live.answered, shop.passports.size]
    const response = await send('POST', '/rules/preview', {
      user_id: 'ann',
      limit: 3,
      without: [kept.id],
      rules: [
        { kind: 'exclude', name: 'Sold out', products: ['p10'] },
        { kind: 'boost', name: 'Books', categories: ['books'], factor: 50, scenarios: ['email'] },
      ],
    })
    expect(response.statusCode).toBe(200)
    const preview = response.json() as RulesPreviewBody
    const ids = (items: RulesPreviewBody['after']) => items.recommendations.map((item) => item.product_id)
    expect(ids(preview.before)).toEqual(['p25', 'p10', 'p11'])
    expect(ids(preview.after).slice(0, 2)).toEqual(['p11', 'p12'])
    const change = (product_id: string) => preview.changes.find((one) => one.product_id === product_id)
    expect(change('p25')).toMatchObject({
      title: 'Title of p25',
      rank_before: 1,
      rank_after: null,
      rules: [{ id: kept.id, kind: 'pin', name: 'New in' }],
    })
    expect(change('p10')).toMatchObject({ rank_after: null, rules: [{ id: 'new_1', kind: 'exclude' }] })
    expect(change('p11')).toMatchObject({ rank_before: 3, rank_after: 1, rules: [] })
    expect(preview.without_effect).toEqual([{ id: 'new_2', kind: 'boost', name: 'Books' }])
    expect([shop.live.answered, shop.passports.size]).toEqual([answered, passports])
    expect((await shop.rules.list()).map(({ id }) => id)).toEqual([kept.id])
  })

  test('for a session, a product, a cart, nobody; at another time', async () => {
    const rules = [{ ...PIN, starts_at: '2030-01-01' }]
    const firstOf = async (body: object) => {
      const response = await send('POST', '/rules/preview', { rules, at: '2030-01-02', limit: 2, ...body })
      const { scenario, after, before } = response.json() as RulesPreviewBody
      expect(before.recommendations[0]?.product_id).not.toBe('p25')
      return [scenario, after.recommendations[0]?.product_id]
    }
    expect(await firstOf({ session_id: 's' })).toEqual(['session', 'p25'])
    expect(await firstOf({ product_id: 'p1' })).toEqual(['similar', 'p25'])
    expect(await firstOf({ cart: ['p0'], scenario: 'email' })).toEqual(['email', 'p25'])
    expect(await firstOf({})).toEqual(['for_you', 'p25'])
    const now = (await send('POST', '/rules/preview', { rules })).json() as RulesPreviewBody
    expect([now.changes, now.after.recommendations.length]).toEqual([[], 10])
  })

  test.each([
    [{ rules: [PIN, { ...PIN, rank: -1 }] }, '/rules/1/rank'],
    [{ rules: 'none' }, '/rules'],
    [{}, ''],
    [{ rules: [], limit: 0 }, '/limit'],
    [{ rules: [], at: 'x' }, '/at'],
    [{ rules: [], min_price: 3, max_price: 2 }, '/min_price'],
  ])('refuses %j, pointing at %s', async (body, pointer) => {
    const problem = await expectProblem(await send('POST', '/rules/preview', body), 400, 'REQUEST_INVALID')
    expect(problem.errors).toContainEqual({ pointer, reason: expect.any(String) })
  })

  test('of products like one that does not exist: unknown', async () => {
    await expectProblem(
      await send('POST', '/rules/preview', { product_id: 'nope', rules: [] }),
      404,
      'PRODUCT_UNKNOWN',
    )
  })
})
