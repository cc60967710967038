import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NOW_MS, openShop } from '../test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.app.close())

const get = (url: string, headers: Record<string, string> = {}) =>
  shop.app.inject({ method: 'GET', url, headers })

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
    for (let i = 0; i < 12; i++) await get(`/recommendations/user/nobody-${i}`)
    await shop.app.inject({ method: 'POST', url: '/stream/events', payload: [{ user_id: 'ann' }] })
    const { body, headers } = await get('/metrics')
    expect(headers['content-type']).toContain('text/plain')
    expect(body).toMatch(
      /arus_http_request_duration_seconds_count\{method="GET",route="\/recommendations\/user\/:user_id",status="200"\} 12\n/,
    )
    expect(body).toMatch(/arus_events_total\{outcome="rejected"\} 1\n/)
    expect(body).toMatch(/arus_recommendations_total\{fallback="popular"\} 12\n/)
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
        '/recommendations/cart',
        '/recommendations/session/{session_id}',
        '/recommendations/similar/{product_id}',
        '/recommendations/trending',
        '/recommendations/trending/categories',
        '/recommendations/user/{user_id}',
        '/recommendations/{recommendation_id}',
        '/rules',
        '/rules/preview',
        '/rules/{rule_id}',
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
        '/experiments',
        '/experiments/{experiment_id}',
        '/experiments/{experiment_id}/start',
        '/experiments/{experiment_id}/stop',
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
