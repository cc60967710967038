import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openShop } from '../test-api.ts'
import { openKeyedApi } from './test-keyed-api.ts'

let api: Awaited<ReturnType<typeof openKeyedApi>>
beforeAll(async () => {
  api = await openKeyedApi()
})
afterAll(() => api.close())

const EVENT = { user_id: 1, action: 'view', product_id: 'p1' }
const send = (url: string, headers: Record<string, string> = {}, payload: object = EVENT) =>
  api.app.inject({ method: 'POST', url, payload, headers })
const get = (url: string, headers: Record<string, string> = {}) => api.app.inject({ url, headers })
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

function expectProblem(response: Awaited<ReturnType<typeof get>>, status: number, code: string) {
  expect([response.statusCode, response.json().code]).toEqual([status, code])
  expect(response.headers['content-type']).toContain('application/problem+json')
  return response
}

describe('a key', () => {
  test('is taken as a bearer token, as basic user name, and on event routes in the query', async () => {
    const key = await api.key('public')
    for (const headers of [
      bearer(key),
      { authorization: `bearer  ${key}` },
      { authorization: `Basic ${btoa(`${key}:`)}` },
      { authorization: `Basic ${btoa(key)}` },
    ]) {
      expect((await send('/stream/events', headers)).statusCode).toBe(200)
    }
    expect((await send(`/stream/events?key=${key}`)).statusCode).toBe(200)
    const collect = { client_id: 'c', events: [{ name: 'view_item' }] }
    expect((await send(`/mp/collect?measurement_id=G-1&api_secret=${key}`, {}, collect)).statusCode).toBe(204)
    const track = { userId: 'u', event: 'Product Viewed' }
    expect((await send(`/v1/track?key=${key}`, {}, track)).statusCode).toBe(200)
    expect((await send('/v1/t', {}, { ...track, writeKey: key })).statusCode).toBe(200)
    expect((await send('/v1/b', {}, { batch: [], writeKey: key })).statusCode).toBe(200)
  })

  test('is taken in no other place', async () => {
    const key = await api.key('admin')
    expectProblem(await get(`/analytics?key=${key}`), 401, 'KEY_REQUIRED')
    expectProblem(await send(`/stream/events?api_secret=${key}`), 401, 'KEY_REQUIRED')
    expectProblem(await send('/stream/events', {}, { ...EVENT, writeKey: key }), 401, 'KEY_REQUIRED')
    expectProblem(await send('/v1/t', {}, { properties: { writeKey: key } }), 401, 'KEY_REQUIRED')
    expectProblem(await get('/analytics', { 'x-api-key': key, cookie: `key=${key}` }), 401, 'KEY_REQUIRED')
  })

  test.each([
    ['Bearer'],
    ['Bearer pk_0'],
    ['Basic !!!'],
    ['Digest username="x"'],
    [`Bearer ${'a'.repeat(8_000)}`],
    ['Bearer __proto__'],
    ['Bearer pk_000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ])(
    'that is none, as in “%s”, is 401 with a challenge, even beside a good one in the query',
    async (authorization) => {
      const key = await api.key('public')
      const response = await send(`/stream/events?key=${key}`, { authorization })
      expectProblem(response, 401, 'KEY_INVALID')
      expect(response.headers['www-authenticate']).toBe('Bearer realm="arus", error="invalid_token"')
    },
  )

  test('that is missing is 401, with what to do', async () => {
    const response = expectProblem(await get('/analytics'), 401, 'KEY_REQUIRED')
    expect(response.headers['www-authenticate']).toBe('Bearer realm="arus"')
    expect(response.json().detail).toContain('secret or admin')
    expect(response.json().detail).toContain('arus keys create')
  })

  test('of the wrong kind is 403, and the answer names it but not its secret', async () => {
    const key = await api.key('public')
    const response = expectProblem(await get('/recommendations/user/ann', bearer(key)), 403, 'KEY_FORBIDDEN')
    expect(response.body).toContain(key.slice(0, 15))
    expect(response.body).not.toContain(key.slice(16))
  })

  test('revoked elsewhere is refused within seconds, and its open stream ends', async () => {
    const key = await api.key('secret')
    const url = await api.listen()
    const stream = await fetch(`${url}/stream/analytics`, { headers: bearer(key) })
    expect(stream.status).toBe(200)
    await api.store.revoke(key.slice(0, 15))
    const startedAt = performance.now()
    for await (const _ of stream.body!);
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expectProblem(await get('/analytics', bearer(key)), 401, 'KEY_INVALID')
  })
})

describe('pages of other origins', () => {
  test('a preflight, which carries no key, is answered for every page', async () => {
    const response = await api.app.inject({
      method: 'OPTIONS',
      url: '/stream/events',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    expect(response.statusCode).toBe(204)
    expect(response.headers['access-control-allow-origin']).toBe('*')
    expect(response.headers['access-control-allow-headers']).toBe('authorization,content-type')
  })

  test('a key with origins serves pages of those, and what is no page', async () => {
    const key = await api.key('public', { origins: ['https://shop.example', 'http://localhost:3000'] })
    for (const headers of [{ origin: 'https://shop.example' }, { origin: 'http://localhost:3000' }, {}]) {
      const response = await send('/stream/events', { ...bearer(key), ...headers } as Record<string, string>)
      expect([response.statusCode, response.headers['access-control-allow-origin']]).toEqual([200, '*'])
    }
    for (const origin of [
      'https://elsewhere.example',
      'http://shop.example',
      'https://shop.example.evil.example',
      'https://shop.example:8443',
      'null',
    ]) {
      const response = await send('/stream/events', { ...bearer(key), origin })
      expectProblem(response, 403, 'ORIGIN_FORBIDDEN')
      expect(response.headers['access-control-allow-origin']).toBe('*')
    }
  })

  test('where no keys are required they may send events, not read the business or remove shoppers', async () => {
    const shop = await openShop()
    const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, origin: string) =>
      shop.app.inject({
        method,
        url,
        headers: { origin },
        ...(method === 'POST' ? { payload: [EVENT] } : {}),
      })
    const foreign = 'https://elsewhere.example'
    expect((await ask('POST', '/stream/events', foreign)).statusCode).toBe(200)
    expect((await ask('GET', '/recommendations/similar/p1', foreign)).statusCode).toBe(200)
    for (const [method, url] of [
      ['GET', '/analytics'],
      ['GET', '/recommendations/user/ann'],
      ['POST', '/sql'],
      ['GET', '/tables'],
      ['DELETE', '/users/ann'],
    ] as const) {
      expectProblem(await ask(method, url, foreign), 403, 'ORIGIN_FORBIDDEN')
      expectProblem(await ask(method, url, 'null'), 403, 'ORIGIN_FORBIDDEN')
    }
    for (const origin of ['http://localhost:8501', 'http://127.0.0.1:8501', 'http://[::1]:3000']) {
      expect((await ask('GET', '/analytics', origin)).statusCode).toBe(200)
    }
    const lan = { origin: 'http://shop.lan:8501', host: 'shop.lan:8000' }
    expect((await shop.app.inject({ url: '/analytics', headers: lan })).statusCode).toBe(200)
    await shop.app.close()
  })
})

describe('limits', () => {
  test('one request too many is 429 that says when to go on; other keys are not held up', async () => {
    const [limited, other] = [await api.key('secret', { limit: 3 }), await api.key('secret', { limit: 3 })]
    for (const left of [2, 1, 0]) {
      const { statusCode, headers } = await get('/categories', bearer(limited))
      expect([statusCode, headers['ratelimit-policy']]).toEqual([200, '"requests";q=3;w=60'])
      expect(headers.ratelimit).toMatch(new RegExp(`^"requests";r=${left};t=(60|59)$`))
    }
    const refused = expectProblem(await get('/categories', bearer(limited)), 429, 'RATE_LIMITED')
    expect(refused.headers['retry-after']).toMatch(/^(60|59)$/)
    expect(refused.headers['access-control-expose-headers']).toContain('ratelimit')
    expect((await get('/categories', bearer(other))).statusCode).toBe(200)
  })

  test('a public key is counted by address: one shopper does not use it up for the others', async () => {
    const key = await api.key('public', { limit: 1 })
    const from = (remoteAddress: string) =>
      api.app.inject({
        method: 'POST',
        url: '/stream/events',
        payload: EVENT,
        headers: bearer(key),
        remoteAddress,
      })
    expect((await from('203.0.113.1')).statusCode).toBe(200)
    expect((await from('203.0.113.1')).statusCode).toBe(429)
    expect((await from('203.0.113.2')).statusCode).toBe(200)
    expect((await from('2001:db8::1')).statusCode).toBe(200)
    expect((await from('2001:db8::2')).statusCode).toBe(429)
  })

  test('an address is believed from a trusted proxy only', async () => {
    const proxied = await openKeyedApi({ trustedProxies: ['10.0.0.0/8'] })
    const key = await proxied.key('public', { limit: 1 })
    const from = (remoteAddress: string, forwarded: string) =>
      proxied.app.inject({
        method: 'POST',
        url: '/stream/events',
        payload: EVENT,
        headers: { ...bearer(key), 'x-forwarded-for': forwarded },
        remoteAddress,
      })
    expect((await from('10.0.0.1', '203.0.113.1')).statusCode).toBe(200)
    expect((await from('10.0.0.1', '203.0.113.2')).statusCode).toBe(200)
    expect((await from('198.51.100.1', '203.0.113.3')).statusCode).toBe(200)
    expect((await from('198.51.100.1', '203.0.113.4')).statusCode).toBe(429)
    await proxied.close()
  })
})

describe('/keys', () => {
  test('makes, lists and revokes; the text is given once and kept nowhere', async () => {
    const admin = bearer(await api.key('admin'))
    const made = await send('/keys', admin, {
      kind: 'public',
      name: ' storefront ',
      origins: ['https://Shop.example/', 'https://shop.example'],
    })
    expect(made.statusCode).toBe(201)
    expect(made.headers['cache-control']).toBe('no-store')
    const { key, ...facts } = made.json()
    expect(key).toMatch(/^pk_[0-9a-f]{12}_[\w-]{43}$/)
    expect(facts).toMatchObject({
      id: key.slice(0, 15),
      name: 'storefront',
      origins: ['https://shop.example'],
      rate_limit_per_minute: 6_000,
      last_used_at: null,
      revoked_at: null,
    })
    expect((await send('/stream/events', bearer(key))).statusCode).toBe(200)
    const list = await get('/keys', admin)
    expect(list.json().keys[0]).toEqual(facts)
    expect(list.body).not.toContain(key.slice(16))
    const revoke = () => api.app.inject({ method: 'DELETE', url: `/keys/${facts.id}`, headers: admin })
    const revoked = (await revoke()).json()
    expect(revoked.revoked_at).toBeGreaterThan(0)
    expect((await revoke()).json()).toEqual(revoked)
    expectProblem(await send('/stream/events', bearer(key)), 401, 'KEY_INVALID')
    expectProblem(
      await api.app.inject({ method: 'DELETE', url: '/keys/pk_0', headers: admin }),
      404,
      'KEY_UNKNOWN',
    )
  })

  test.each([
    [{}],
    [{ kind: 'root', name: 'x' }],
    [{ kind: 'public', name: ' ' }],
    [{ kind: 'public', name: 'x', origins: ['shop.example'] }],
    [{ kind: 'public', name: 'x', origins: ['https://shop.example/path'] }],
    [{ kind: 'public', name: 'x', origins: ['javascript:alert(1)'] }],
    [{ kind: 'public', name: 'x', rate_limit_per_minute: -1 }],
    [{ kind: 'public', name: 'x', rate_limit_per_minute: null }],
    [{ kind: 'public', name: 'x', rate_limit_per_minute: '5' }],
    [{ kind: 'public', name: 'x', origins: 'https://shop.example' }],
    [{ kind: 'public', name: 'x', id: 'pk_mine' }],
    [{ kind: 'public', name: 'x', last_used_at: 0, revoked_at: 0 }],
  ])('refuses %j', async (body) => {
    const admin = bearer(await api.key('admin'))
    expectProblem(await send('/keys', admin, body), 400, 'REQUEST_INVALID')
  })

  test('gives nothing away where no keys are required', async () => {
    const shop = await openShop()
    for (const [method, url] of [
      ['GET', '/keys'],
      ['DELETE', '/keys/x'],
    ] as const)
      expectProblem(await shop.app.inject({ method, url }), 403, 'KEYS_OFF')
    const payload = { kind: 'admin', name: 'x' }
    expectProblem(await shop.app.inject({ method: 'POST', url: '/keys', payload }), 403, 'KEYS_OFF')
    await shop.app.close()
  })
})

test('health tells where the data is to an admin key only', async () => {
  const folder = await openKeyedApi({
    health: async () => ({
      status: 'ok',
      version: '0.1.0',
      shop: 'shop',
      uptime_seconds: 1,
      products: 30,
      model: null,
      live_role: 'leader',
      slots: [
        { slot: 'event log', adapter: 'lmdb', status: 'ok', detail: '/srv/arus', problem: '/srv is full' },
      ],
    }),
  })
  const detailFor = async (headers: Record<string, string>) =>
    (await folder.app.inject({ url: '/health', headers })).json().slots[0].detail
  const problemFor = async (headers: Record<string, string>) =>
    (await folder.app.inject({ url: '/health', headers })).json().slots[0].problem
  expect(await problemFor({})).toBe(null)
  expect(await problemFor(bearer(await folder.key('admin')))).toBe('/srv is full')
  expect(await detailFor({})).toBe('')
  expect(await detailFor(bearer(await folder.key('secret')))).toBe('')
  expect(await detailFor(bearer(await folder.key('admin')))).toBe('/srv/arus')
  await folder.close()
})

test('OpenAPI says which kinds of key an operation takes, where keys are required', async () => {
  const described = (await get('/openapi.json')).json()
  expect(described.paths['/sql'].post.security).toEqual([{ key: ['admin'] }])
  expect(described.paths['/stream/events'].post.security).toEqual([{ key: ['public', 'secret', 'admin'] }])
  expect(described.paths['/health'].get.security).toBeUndefined()
  expect(Object.keys(described.paths['/sql'].post.responses)).toEqual(
    expect.arrayContaining(['401', '403', '429']),
  )
  expect(described.components.securitySchemes.key).toMatchObject({ type: 'http', scheme: 'bearer' })
})
