import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProductPage } from '../api-schema/index.ts'
import { ArusError, ERROR_CODES } from '../errors.ts'
import { PROBLEM_TITLES } from './problem-codes.ts'
import { NOW_MS, openShop } from './test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.app.close())

const get = (url: string, headers: Record<string, string> = {}) =>
  shop.app.inject({ method: 'GET', url, headers })
const post = (payload: string | Buffer, headers: Record<string, string> = {}) =>
  shop.app.inject({
    method: 'POST',
    url: '/stream/events',
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  })

async function expectProblem(response: Awaited<ReturnType<typeof get>>, status: number, code: string) {
  expect(response.statusCode).toBe(status)
  expect(response.headers['content-type']).toContain('application/problem+json')
  const problem = response.json()
  expect(problem).toMatchObject({ status, code })
  expect(problem.type).toMatch(/^urn:arus:problem:[a-z-]+$/)
  expect(problem.title).toBe(PROBLEM_TITLES[code as keyof typeof PROBLEM_TITLES])
  expect(problem.detail.length).toBeGreaterThan(10)
  expect(problem.request_id).toMatch(/./)
  expect(response.body).not.toMatch(/\.ts:|node_modules|at Object/)
  return problem
}

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

describe('products', () => {
  test('one product, an unknown one, the categories', async () => {
    expect((await get('/products/p3')).json()).toMatchObject({
      product_id: 'p3',
      price: 4,
      image_url: expect.any(String),
    })
    await expectProblem(await get('/products/nope'), 404, 'PRODUCT_UNKNOWN')
    expect((await get('/categories')).json().categories).toEqual([
      { category_id: 1, name: 'Toys', product_count: 15 },
      { category_id: 2, name: 'Books', product_count: 15 },
    ])
  })

  test('pages through a search by cursor, each product once', async () => {
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: ProductPage = (
        await get(`/products?q=title&category_id=1&limit=4${cursor === '' ? '' : `&cursor=${cursor}`}`)
      ).json()
      expect(page).toMatchObject({ total: 15, total_is_exact: true })
      seen.push(...page.products.map((product) => product.product_id))
      cursor = page.next_cursor
    }
    expect(seen).toHaveLength(15)
    expect(new Set(seen).size).toBe(15)
  })

  test('refuses a broken cursor and one of another search', async () => {
    const broken = await expectProblem(await get('/products?cursor=%21%21'), 400, 'REQUEST_INVALID')
    expect(broken.errors[0].pointer).toBe('/cursor')
    const { next_cursor } = (await get('/products?q=title&limit=1')).json()
    await expectProblem(await get(`/products?q=other&limit=1&cursor=${next_cursor}`), 400, 'REQUEST_INVALID')
  })

  test('without a catalogue say so with 503', async () => {
    const bare = await openShop({ catalogue: () => null })
    const response = await bare.app.inject('/products/p1')
    await expectProblem(response, 503, 'CATALOGUE_EMPTY')
    expect(response.headers['retry-after']).toBe('1')
    await bare.app.close()
  })
})

describe('events', () => {
  test('one, an array, NDJSON, gzip', async () => {
    const event = { user_id: 1, action: 'view', product_id: 'p1' }
    const counts = { accepted: 1, duplicates: 0, rejected: 0, errors: [] }
    expect((await post(JSON.stringify(event))).json()).toEqual(counts)
    expect((await post(JSON.stringify([event, event]))).json()).toEqual({ ...counts, accepted: 2 })
    const lines = `${JSON.stringify(event)}\r\n\n${JSON.stringify(event)}\n`
    expect((await post(lines, { 'content-type': 'application/x-ndjson' })).json()).toEqual({
      ...counts,
      accepted: 2,
    })
    const zipped = await post(gzipSync(JSON.stringify([event])), { 'content-encoding': 'gzip' })
    expect(zipped.json()).toEqual(counts)
    expect((await post('[]')).json()).toEqual({ ...counts, accepted: 0 })
  })

  test('a bad event does not sink its batch, but alone is a 400 with pointers', async () => {
    const response = await post(JSON.stringify([{ user_id: 'x', action: 'view' }, { user_id: 'x' }, 7]))
    expect(response.statusCode).toBe(200)
    expect(response.json()).toMatchObject({
      accepted: 1,
      rejected: 2,
      errors: [
        { index: 1, pointer: '/action' },
        { index: 2, pointer: '' },
      ],
    })
    const problem = await expectProblem(await post('{"user_id":"x"}'), 400, 'REQUEST_INVALID')
    expect(problem.errors).toEqual([{ pointer: '/action', reason: 'must be a text' }])
    await expectProblem(await post('42'), 400, 'REQUEST_INVALID')
  })

  test('a broken NDJSON line is refused alone, with the reason', async () => {
    const body = '{"user_id":1,"action":"view"}\n{"user_id":\n{"user_id":1,"action":"view"}'
    const response = await post(body, { 'content-type': 'application/x-ndjson' })
    expect(response.json()).toMatchObject({
      accepted: 2,
      rejected: 1,
      errors: [{ index: 1, reason: expect.stringContaining('not valid JSON') }],
    })
  })

  test('ids beyond 2^53 keep every digit, fractions stay numbers', async () => {
    await post(
      '{"user_id":9007199254740993,"session_id":-12345678901234567890,"action":"view","price":0.1234567890123456}',
    )
    expect(shop.ingest.accepted.at(-1)).toMatchObject({
      user_id: '9007199254740993',
      session_id: '-12345678901234567890',
      price: 0.1234567890123456,
    })
  })

  test('a __proto__ key, also escaped, is harmless', async () => {
    await post(
      '{"user_id":"x","action":"view","__proto__":{"polluted":1},"properties":{"\\u005f_proto__":{"polluted":1}}}',
    )
    const event = shop.ingest.accepted.at(-1)
    expect(Object.keys(event ?? {})).not.toContain('__proto__')
    expect(event?.polluted).toBeUndefined()
    expect(Object.keys(event?.properties ?? {})).toEqual([])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('nesting too deep is refused with its reason', async () => {
    const deep = `{"user_id":"x","action":"view","properties":{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`
    const problem = await expectProblem(await post(deep), 400, 'REQUEST_INVALID')
    expect(problem.errors[0].reason).toContain('nested deeper than 32')
    expect((await post(`[${deep},{"user_id":"x","action":"view"}]`)).json()).toMatchObject({
      accepted: 1,
      rejected: 1,
    })
  })

  test.each([
    ['broken JSON', '{"user_id": 1,', {}, 400, 'REQUEST_INVALID'],
    ['an empty body', '', {}, 400, 'REQUEST_INVALID'],
    ['spaces only', '  ', {}, 400, 'REQUEST_INVALID'],
    ['a form', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['plain text that is no JSON', 'view', { 'content-type': 'text/plain' }, 400, 'REQUEST_INVALID'],
    ['an unknown encoding', '{}', { 'content-encoding': 'snappy' }, 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['gzip that is none', '{}', { 'content-encoding': 'gzip' }, 400, 'REQUEST_INVALID'],
    ['a body too large', JSON.stringify('x'.repeat(100_001)), {}, 413, 'BODY_TOO_LARGE'],
    [
      'a zip bomb',
      gzipSync(Buffer.alloc(50_000_000, 32)),
      { 'content-encoding': 'gzip' },
      413,
      'BODY_TOO_LARGE',
    ],
  ] as const)('%s', async (_name, body, headers, status, code) => {
    await expectProblem(await post(body, headers), status, code)
  })

  test('overload is 503 with Retry-After', async () => {
    shop.ingest.isFull = true
    const response = await post('{"user_id":1,"action":"view"}')
    shop.ingest.isFull = false
    await expectProblem(response, 503, 'INGEST_OVERLOADED')
    expect(response.headers['retry-after']).toBe('1')
  })

  test('whatever is sent, the server never fails', async () => {
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((text) => `[${text}]`),
      fc.array(fc.json()).map((lines) => lines.join('\n')),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .record({ user_id: fc.anything(), action: fc.anything(), properties: fc.anything() })
        .map(
          (event) =>
            JSON.stringify(event, (_key, value) => (typeof value === 'bigint' ? String(value) : value)) ?? '',
        ),
    )
    const headers = fc.constantFrom(
      { 'content-type': 'application/json' },
      { 'content-type': 'application/x-ndjson' },
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      { 'content-type': 'application/json; charset=latin1' },
      { 'content-type': ';;' },
    )
    await fc.assert(
      fc.asyncProperty(bodies, headers, async (body, given) => {
        const response = await post(body, given)
        expect(response.statusCode).toBeLessThan(500)
        if (response.statusCode === 200) {
          const { accepted, duplicates, rejected } = response.json()
          expect(accepted + duplicates + rejected).toBeGreaterThanOrEqual(0)
        } else {
          expect(response.headers['content-type']).toContain('application/problem+json')
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('analytics', () => {
  test('live figures with the conversion of each step', async () => {
    expect((await get('/analytics')).json()).toMatchObject({
      funnel: { view: 10, click: 4, add_to_cart: 2, purchase: 0 },
      conversion: { view_to_click: 0.4, click_to_cart: 0.5, cart_to_purchase: 0, view_to_purchase: 0 },
    })
  })

  test('periods in milliseconds and ISO 8601', async () => {
    const from = Date.UTC(2026, 0, 1)
    expect((await get('/analytics/funnel?from=2026-01-01&to=1769860800000')).json()).toMatchObject({
      from,
      to: 1769860800000,
    })
    expect(
      (await get('/analytics/funnel?steps=view,purchase&order=any&window=7d&split_by=device')).json(),
    ).toMatchObject({
      steps: [{ step: 'view' }, { step: 'purchase' }],
      order: 'any',
      window_ms: 7 * 86_400_000,
      split_by: 'device',
    })
    expect((await get('/analytics/timeline?from=2026-01-01T00:00:00&interval=minute')).json()).toMatchObject({
      from,
      interval: 'minute',
    })
    expect(
      (await get('/analytics/trends?from=2026-01-01T07:00:00%2B07:00&interval=hour')).json(),
    ).toMatchObject({ from, interval: 'hour' })
    expect((await get('/analytics/heatmap')).json()).toMatchObject({ time_zone: 'UTC', to: NOW_MS })
    expect((await get('/analytics/user_behavior')).json()).toMatchObject({
      as_of: { table_versions: { 'silver.events': 2 } },
    })
  })

  test('cohorts, windows and time zones', async () => {
    expect(
      (await get('/analytics/retention?interval=day&time_zone=Asia/Jakarta&return_action=purchase')).json(),
    ).toMatchObject({ interval: 'day', time_zone: 'Asia/Jakarta', action: null, return_action: 'purchase' })
    expect((await get('/analytics/attribution?window=24h')).json()).toMatchObject({ window_ms: 86_400_000 })
    expect((await get('/analytics/timeline?time_zone=Asia/Jakarta')).json()).toMatchObject({
      time_zone: 'Asia/Jakarta',
    })
    expect((await get('/analytics/searches?from=5&limit=3')).json()).toMatchObject({ from: 5, queries: [] })
  })

  test('a shopper’s events page by a cursor that belongs to the shopper', async () => {
    const first = (await get('/analytics/users/ann?limit=9')).json()
    expect(first).toMatchObject({ user_id: 'ann', summary: { events: 9, sessions: 0 } })
    const second = (await get(`/analytics/users/ann?cursor=${first.next_cursor}`)).json()
    expect(second).toMatchObject({ summary: { sessions: 7 }, next_cursor: null })
    await expectProblem(await get(`/analytics/users/bob?cursor=${first.next_cursor}`), 400, 'REQUEST_INVALID')
  })

  test.each([
    ['/analytics/funnel?from=yesterday', '/from'],
    ['/analytics/funnel?to=2026-13-01', '/to'],
    ['/analytics/funnel?from=9&to=3', '/from'],
    ['/analytics/funnel?steps=view', '/steps'],
    ['/analytics/funnel?steps=view,view', '/steps'],
    ['/analytics/funnel?steps=view,Purchase', '/steps'],
    ['/analytics/funnel?window=0h', '/window'],
    ['/analytics/funnel?window=900d', '/window'],
    ['/analytics/funnel?order=random', '/order'],
    ['/analytics/funnel?where=device', '/where'],
    ['/analytics/attribution?window=week', '/window'],
    ['/analytics/retention?action=Buy!', '/action'],
    ['/analytics/retention?periods=0', '/periods'],
    ['/analytics/timeline?interval=week', '/interval'],
    ['/analytics/trends?interval=minute', '/interval'],
  ])('refuse %s', async (url, pointer) => {
    const problem = await expectProblem(await get(url), 400, 'REQUEST_INVALID')
    expect(problem.errors[0].pointer).toBe(pointer)
  })

  test('without live state say so with 503', async () => {
    const bare = await openShop({ live: () => null })
    await expectProblem(await bare.app.inject('/analytics'), 503, 'NOT_READY')
    await bare.app.close()
  })
})

describe('system', () => {
  test('root, health, models, system metrics', async () => {
    expect((await get('/')).json()).toMatchObject({ name: 'arus', links: { docs: '/docs' } })
    expect((await get('/health')).json()).toMatchObject({ status: 'ok', slots: [{ slot: 'event log' }] })
    expect((await get('/models')).json()).toMatchObject({
      models: [{ version: 3, metrics: { walk: { 'recall@20': 0.2 } } }],
    })
    expect((await get('/system/metrics')).json()).toMatchObject({ generated_at: NOW_MS })
  })

  test('health is 503 when it is down', async () => {
    const health = { ...(await get('/health')).json(), status: 'down' }
    const down = await openShop({ health: async () => health })
    expect((await down.app.inject('/health')).statusCode).toBe(503)
    await down.app.close()
  })

  test('prometheus text has requests by route, events, recommendations and lag', async () => {
    const { body, headers } = await get('/metrics')
    expect(headers['content-type']).toContain('text/plain')
    expect(body).toMatch(
      /arus_http_request_duration_seconds_count\{method="GET",route="\/recommendations\/user\/:user_id",status="200"\} \d/,
    )
    expect(body).toMatch(/arus_events_total\{outcome="rejected"\} [1-9]/)
    expect(body).toMatch(/arus_recommendations_total\{fallback="popular"\} [1-9]/)
    expect(body).toContain('arus_consumer_lag_events{group="lake",topic="events",partition="1"} 7')
    expect(shop.requests.length).toBeGreaterThan(10)
  })

  test('OpenAPI 3.1 names every route, and the problem documents', async () => {
    const openapi = (await get('/openapi.json')).json()
    expect(openapi.openapi).toBe('3.1.0')
    expect(Object.keys(openapi.paths).sort()).toEqual(
      [
        '/',
        '/analytics',
        ...['attribution', 'funnel', 'heatmap', 'retention', 'searches', 'timeline', 'trends'].map(
          (figure) => `/analytics/${figure}`,
        ),
        '/analytics/user_behavior',
        '/analytics/users/{user_id}',
        '/categories',
        '/health',
        '/keys',
        '/keys/{key_id}',
        '/metrics',
        '/models',
        '/products',
        '/products/{product_id}',
        '/recommendations/session/{session_id}',
        '/recommendations/similar/{product_id}',
        '/recommendations/trending',
        '/recommendations/trending/categories',
        '/recommendations/user/{user_id}',
        '/recommendations/{recommendation_id}',
        '/sdk/arus.js',
        '/sdk/arus.mjs',
        '/sql',
        '/stream/analytics',
        '/stream/events',
        '/stream/recommendations/{user_id}',
        '/system/lag',
        '/system/metrics',
        '/tables',
        '/tables/{name}',
        '/tables/{name}/files',
        '/tables/{name}/history',
        '/tables/{name}/preview',
        '/users/{user_id}',
        '/mp/collect',
        '/debug/mp/collect',
        ...['alias', 'batch', 'group', 'identify', 'page', 'screen', 'track'].map((call) => `/v1/${call}`),
      ].sort(),
    )
    const { get: user } = openapi.paths['/recommendations/user/{user_id}']
    expect(user.responses['400'].content['application/problem+json'].schema.required).toContain('request_id')
    const { requestBody } = openapi.paths['/stream/events'].post
    expect(requestBody.content['application/json'].schema.anyOf[1].properties.action.type).toBe('string')
    expect(user.responses['200'].content['application/json'].schema.properties.fallback.enum).toContain(
      'trending',
    )
  })

  test('Swagger UI is served from here alone', async () => {
    const page = await get('/docs/')
    expect(page.statusCode).toBe(200)
    expect(page.body).not.toMatch(/(?:src|href)="https?:/)
    const scripts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, path]) => new URL(path ?? '', 'http://x/docs/').pathname,
    )
    expect(scripts.length).toBeGreaterThan(3)
    for (const path of scripts) expect((await get(path)).statusCode).toBe(200)
  })
})

test('a shopper is removed on demand, but not by a web page of another origin', async () => {
  const removed = await shop.app.inject({ method: 'DELETE', url: '/users/ann' })
  expect(removed.json()).toEqual({
    user_id: 'ann',
    other_names: 1,
    removed: { 'live state': 3 },
    remains: [{ place: 'model 3', what: 'trained with their history', until: null }],
    outdated_models: [3],
    model_in_service: 3,
  })
  const preflight = await shop.app.inject({
    method: 'OPTIONS',
    url: '/users/ann',
    headers: { origin: 'http://elsewhere', 'access-control-request-method': 'DELETE' },
  })
  expect(preflight.headers['access-control-allow-methods']).not.toContain('DELETE')
})

describe('HTTP itself', () => {
  test('whatever is asked, the server never fails', async () => {
    const names = fc.constantFrom(
      'limit',
      'q',
      'cursor',
      'category',
      'category_id',
      'min_price',
      'max_price',
      'exclude',
      'session_id',
      'scenario',
      'from',
      'to',
      'interval',
      'steps',
      'window',
      'where',
      'split_by',
    )
    const values = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.double().map(String),
      fc.constantFrom('1', '-1', '', '1e400', '%00'),
    )
    const paths = fc.oneof(
      fc.constantFrom(
        '/products',
        '/recommendations/trending',
        '/analytics/funnel',
        '/analytics/timeline',
        '/analytics/trends',
        '/analytics/retention',
        '/analytics/attribution',
        '/analytics/searches',
        '/analytics/users/ann',
      ),
      fc
        .tuple(
          fc.constantFrom(
            '/recommendations/user/',
            '/recommendations/session/',
            '/recommendations/similar/',
            '/recommendations/',
            '/products/',
          ),
          fc.string({ unit: 'binary' }).map((id) => encodeURIComponent(id.toWellFormed())),
        )
        .map((parts) => parts.join('')),
    )
    await fc.assert(
      fc.asyncProperty(paths, fc.array(fc.tuple(names, values), { maxLength: 4 }), async (path, query) => {
        const search = query
          .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
          .join('&')
        const response = await get(`${path}?${search}`)
        expect([200, 400, 404]).toContain(response.statusCode)
        if (response.statusCode !== 200) expect(response.headers['content-type']).toContain('problem+json')
      }),
      { numRuns: 300 },
    )
  })

  test('an unknown address is 404, a wrong method 405 with Allow', async () => {
    await expectProblem(await get('/nope'), 404, 'NOT_FOUND')
    await expectProblem(await get('/products/a/b'), 404, 'NOT_FOUND')
    const wrong = await shop.app.inject({ method: 'DELETE', url: '/products/p1' })
    await expectProblem(wrong, 405, 'METHOD_NOT_ALLOWED')
    expect(wrong.headers.allow).toBe('GET, HEAD')
    await expectProblem(await get('/stream/events'), 405, 'METHOD_NOT_ALLOWED')
    await expectProblem(
      await shop.app.inject({
        method: 'POST',
        url: '/health',
        payload: '{',
        headers: { 'content-type': 'application/json' },
      }),
      405,
      'METHOD_NOT_ALLOWED',
    )
  })

  test('HEAD answers without a body, OPTIONS lets other origins in', async () => {
    const head = await shop.app.inject({ method: 'HEAD', url: '/health' })
    expect(head.statusCode).toBe(200)
    expect(head.body).toBe('')
    const preflight = await shop.app.inject({
      method: 'OPTIONS',
      url: '/stream/events',
      headers: { origin: 'http://localhost:8501', 'access-control-request-method': 'POST' },
    })
    expect(preflight.statusCode).toBe(204)
    expect(preflight.headers['access-control-allow-origin']).toBe('*')
    expect((await shop.app.inject({ method: 'OPTIONS', url: '/health' })).statusCode).toBeLessThan(300)
    expect((await get('/health')).headers['access-control-allow-origin']).toBe('*')
  })

  test('a path that is no valid encoding is a problem document', async () => {
    await expectProblem(await get('/products/%E0%A4%A'), 400, 'REQUEST_INVALID')
  })

  test('a request id that is short and plain is taken over, another is not', async () => {
    const answer = await get('/nope', { 'x-request-id': 'abc-1' })
    expect([answer.json().request_id, answer.headers['x-request-id']]).toEqual(['abc-1', 'abc-1'])
    expect((await get('/nope', { 'x-request-id': 'a b\tc' })).json().request_id).not.toContain(' ')
  })

  test('large answers are compressed for who asks', async () => {
    const response = await get('/products?limit=30', { 'accept-encoding': 'gzip' })
    expect(response.headers['content-encoding']).toBe('gzip')
  })

  test('a failure inside tells nothing of the inside', async () => {
    const broken = await openShop({ models: () => Promise.reject(new TypeError('secret at /home/x')) })
    const response = await broken.app.inject('/models')
    await expectProblem(response, 500, 'INTERNAL')
    expect(response.body).not.toContain('secret')
    await broken.app.close()
    const corrupt = new ArusError('MODEL_FILE_CORRUPT', 'secret at /home/x')
    const damaged = await openShop({ models: () => Promise.reject(corrupt) })
    const answer = await damaged.app.inject('/models')
    await expectProblem(answer, 500, 'MODEL_FILE_CORRUPT')
    expect(answer.body).not.toContain('secret')
    await damaged.app.close()
  })

  test('a rate limit, when set, answers 429', async () => {
    const limited = await openShop({ rateLimitPerMinute: 2 })
    for (let i = 0; i < 2; i++) expect((await limited.app.inject('/')).statusCode).toBe(200)
    await expectProblem(await limited.app.inject('/'), 429, 'RATE_LIMITED')
    await limited.app.close()
  })

  test('bytes that are not HTTP get a problem document', async () => {
    const server = await openShop()
    await server.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = server.app.server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    socket.end('NONSENSE\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toContain('400 Bad Request')
    expect(text).toContain('"code":"REQUEST_INVALID"')
    await server.app.close()
  })

  test('every code of the program has a title', () => {
    expect(Object.keys(PROBLEM_TITLES).sort()).toEqual(
      [...Object.keys(ERROR_CODES), 'METHOD_NOT_ALLOWED'].sort(),
    )
  })
})
