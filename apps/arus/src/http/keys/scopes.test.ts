import { afterAll, beforeAll, expect, test } from 'vitest'
import { openKeyedApi } from './test-keyed-api.ts'

/** Written out, so that a route that changes what it needs, or a new one, changes this file too. */
const OPEN = [
  'GET /',
  'GET /docs',
  'GET /docs/json',
  'GET /docs/static/*',
  'GET /docs/static/index.html',
  'GET /docs/static/swagger-initializer.js',
  'GET /docs/yaml',
  'GET /health',
  'GET /openapi.json',
  'GET /sdk/arus.js',
  'GET /sdk/arus.mjs',
]
const PUBLIC = [
  'GET /recommendations/cart',
  'GET /recommendations/session/:session_id',
  'GET /recommendations/similar/:product_id',
  'GET /recommendations/trending',
  'GET /recommendations/trending/categories',
  'POST /debug/mp/collect',
  'POST /mp/collect',
  'POST /stream/events',
  ...[
    'a',
    'alias',
    'b',
    'batch',
    'g',
    'group',
    'i',
    'identify',
    'p',
    'page',
    's',
    'screen',
    't',
    'track',
  ].map((call) => `POST /v1/${call}`),
]
const SECRET = [
  'GET /analytics',
  'GET /analytics/attribution',
  'GET /analytics/funnel',
  'GET /analytics/heatmap',
  'GET /analytics/retention',
  'GET /analytics/searches',
  'GET /analytics/timeline',
  'GET /analytics/trends',
  'GET /analytics/user_behavior',
  'GET /analytics/users/:user_id',
  'GET /categories',
  'GET /metrics',
  'GET /models',
  'GET /products',
  'GET /products/:product_id',
  'GET /recommendations/:recommendation_id',
  'GET /recommendations/user/:user_id',
  'GET /stream/analytics',
  'GET /stream/recommendations/:user_id',
  'GET /system/lag',
  'GET /system/metrics',
  'GET /users/:user_id',
]
const ADMIN = [
  'DELETE /experiments/:experiment_id',
  'DELETE /keys/:key_id',
  'DELETE /rules/:rule_id',
  'DELETE /users/:user_id',
  'GET /experiments',
  'GET /experiments/:experiment_id',
  'GET /keys',
  'GET /rules',
  'GET /rules/:rule_id',
  'GET /tables',
  'GET /tables/:name',
  'GET /tables/:name/files',
  'GET /tables/:name/history',
  'GET /tables/:name/preview',
  'POST /experiments',
  'POST /experiments/:experiment_id/start',
  'POST /experiments/:experiment_id/stop',
  'POST /keys',
  'POST /rules',
  'POST /rules/preview',
  'POST /sql',
  'PUT /rules/:rule_id',
]

let api: Awaited<ReturnType<typeof openKeyedApi>>
let url: string
beforeAll(async () => {
  api = await openKeyedApi()
  url = await api.listen()
})
afterAll(() => api.close())

async function statusOf(route: string, key: string | null): Promise<number> {
  const [method = '', path = ''] = route.split(' ')
  const leaving = new AbortController()
  const response = await fetch(url + path.replaceAll(/:\w+/g, 'x').replace('*', 'x'), {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(method === 'POST' ? { body: '{}' } : {}),
    signal: leaving.signal,
  })
  // Streams go on until their client leaves.
  leaving.abort()
  return response.status
}

test('every route declares who may use it, and no other is there', () => {
  const declared = [...api.app.routeScopes].filter(([route]) => !/^(HEAD|OPTIONS) /.test(route))
  const routesOf = (...scopes: string[]) =>
    declared.filter(([, scope]) => scopes.includes(scope)).map(([route]) => route)
  expect(routesOf('open').sort()).toEqual(OPEN)
  expect(routesOf('events', 'recommend').sort()).toEqual(PUBLIC.toSorted())
  expect(routesOf('shoppers', 'products', 'analytics', 'operations').sort()).toEqual(SECRET)
  expect(routesOf('admin').sort()).toEqual(ADMIN)
  for (const [route, scope] of api.app.routeScopes) {
    const [method = '', path = ''] = route.split(' ')
    if (method === 'HEAD') expect([route, scope]).toEqual([route, api.app.routeScopes.get(`GET ${path}`)])
  }
})

test('every route with every kind of key: denied unless granted', async () => {
  const [publicKey, secret, admin, revoked] = await Promise.all([
    api.key('public'),
    api.key('secret'),
    api.key('admin'),
    api.key('admin'),
  ])
  await api.ring.revoke(revoked.slice(0, 15))
  const unknown = `${admin.slice(0, -1)}${admin.endsWith('A') ? 'E' : 'A'}`
  const groups: readonly (readonly [string[], (string | null)[], string[], string[]])[] = [
    [OPEN, [null, unknown, revoked, publicKey, secret, admin], [], []],
    [PUBLIC, [publicKey, secret, admin], [], [revoked, unknown]],
    [SECRET, [secret, admin], [publicKey], [revoked, unknown]],
    [ADMIN, [admin], [publicKey, secret], [revoked, unknown]],
  ]
  const wrong: unknown[] = []
  for (const [routes, granted, forbidden, invalid] of groups) {
    for (const route of routes) {
      for (const key of granted) {
        const status = await statusOf(route, key)
        if (status === 401 || status === 403) wrong.push([route, 'granted', status])
      }
      for (const key of forbidden) {
        const status = await statusOf(route, key)
        if (status !== 403) wrong.push([route, 'forbidden', status])
      }
      for (const key of granted.includes(null) ? [] : [...invalid, null]) {
        const status = await statusOf(route, key)
        if (status !== 401) wrong.push([route, 'invalid', status])
      }
    }
  }
  expect(wrong).toEqual([])
})
