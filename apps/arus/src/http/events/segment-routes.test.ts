import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { Analytics } from '@segment/analytics-node'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openShop } from '../test-api.ts'
import { openLoggedApi } from './test-logged-api.ts'

let api: Awaited<ReturnType<typeof openLoggedApi>>
beforeAll(async () => {
  api = await openLoggedApi()
})
afterAll(() => api.close())
beforeEach(() => api.skipPast())

const post = (url: string, payload: string | Buffer | object, headers: Record<string, string> = {}) =>
  api.app.inject({
    method: 'POST',
    url,
    payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
    headers: { 'content-type': 'application/json', ...headers },
  })

test('the real @segment/analytics-node needs nothing but the host', async () => {
  await api.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = api.app.server.address() as AddressInfo
  const analytics = new Analytics({ writeKey: 'any', host: `http://127.0.0.1:${port}`, flushAt: 3 })
  const failures: unknown[] = []
  analytics.on('error', (error) => failures.push(error))
  analytics.identify({ userId: 'u1', traits: { plan: 'pro' } })
  analytics.page({ anonymousId: 'a1', name: 'Home' })
  analytics.track({ userId: 'u1', event: 'Product Viewed', properties: { product_id: 'p1', price: 5 } })
  analytics.track({
    userId: 'u1',
    event: 'Order Completed',
    timestamp: new Date(Date.now() - 60_000),
    properties: { order_id: 'o1', products: [{ product_id: 'p1', price: 5, quantity: 2 }, { sku: 'p2' }] },
  })
  await analytics.closeAndFlush()
  expect(failures).toEqual([])
  const events = await api.events()
  expect(events.map(({ action, product_id }) => [action, product_id]).sort()).toEqual([
    ['identify', null],
    ['page_view', null],
    ['purchase', 'p1'],
    ['purchase', 'p2'],
    ['view', 'p1'],
  ])
  const line = events.find(({ action }) => action === 'purchase')!
  expect(line).toMatchObject({ user_id: 'u1', order_id: 'o1', price: 5, quantity: 2 })
  expect(line.received_at - line.ts).toBeGreaterThanOrEqual(59_000)
  expect(line.received_at - line.ts).toBeLessThan(70_000)
  expect(events.every(({ event_id }) => event_id.startsWith('node-next-'))).toBe(true)
  expect(await api.rejected()).toEqual([])
})

test('every address takes its call, with a key in the header or the body, as JSON or as a beacon’s text', async () => {
  const calls = ['track', 'identify', 'page', 'screen', 'alias', 'group', 't', 'i', 'p', 's', 'a', 'g']
  for (const call of calls) {
    const body = { userId: 'u', event: 'Signed Up', messageId: `all-${call}`, writeKey: 'k' }
    const headers =
      call.length > 1
        ? { authorization: `Basic ${btoa('k:')}` }
        : { 'content-type': 'text/plain;charset=UTF-8' }
    const response = await post(`/v1/${call}`, body, headers as Record<string, string>)
    expect([response.statusCode, response.json()]).toEqual([200, { success: true }])
  }
  const actions = ['signed_up', 'identify', 'page_view', 'screen_view', 'alias', 'group']
  const events = await api.events()
  expect(events.map(({ action }) => action)).toEqual([...actions, ...actions])
  expect(JSON.stringify(events)).not.toContain('writeKey')
})

test('a message sent again counts once, alone or in a batch', async () => {
  const message = { type: 'track', messageId: 'again', userId: 'u', event: 'Product Viewed' }
  const order = { ...message, messageId: 'order', event: 'Order Completed' }
  const view = { ...message, properties: { product_id: 'p' } }
  const bought = { ...order, properties: { products: [{ product_id: 'p' }, { product_id: 'q' }] } }
  for (let time = 0; time < 2; time++) {
    expect((await post('/v1/track', view)).statusCode).toBe(200)
    expect((await post('/v1/b', { batch: [view, bought, bought] })).statusCode).toBe(200)
  }
  expect((await api.events()).map(({ event_id }) => event_id)).toEqual(['again', 'order:1', 'order:2'])
})

test('bad messages of a batch are kept as rejected, the others taken, and the answer is success', async () => {
  const deep = JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`)
  const batch = [{ type: 'page', userId: 'u' }, 7, { type: 'x', userId: 'u' }, { type: 'page' }, { deep }]
  const response = await post('/v1/batch', gzipSync(JSON.stringify({ batch })), {
    'content-encoding': 'gzip',
  })
  expect([response.statusCode, response.json()]).toEqual([200, { success: true }])
  expect(await api.events()).toHaveLength(1)
  const rejected = await api.rejected()
  expect(rejected.map(({ raw, pointer }) => [raw.slice(0, 26), pointer])).toEqual([
    ['7', ''],
    ['{"type":"x","userId":"u"}', '/type'],
    [expect.stringContaining('page_view'), '/user_id'],
    ['null', ''],
  ])
  expect(rejected[3]?.reason).toContain('deeper than 32')
  expect((await post('/v1/track', { event: 'Product Viewed', userId: 'u' })).statusCode).toBe(200)
  expect(await api.rejected()).toHaveLength(5)
})

test('a broken body is a problem document; so is one that would make too many events', async () => {
  const codeOf = async (url: string, body: string, headers = {}) => {
    const response = await post(url, body, headers)
    expect(response.headers['content-type']).toContain('application/problem+json')
    return [response.statusCode, response.json().code]
  }
  for (const body of ['', '{', '[]', '7', 'null'])
    expect(await codeOf('/v1/track', body)).toEqual([400, 'REQUEST_INVALID'])
  for (const body of ['{}', '{"batch": {}}', '[]'])
    expect(await codeOf('/v1/batch', body)).toEqual([400, 'REQUEST_INVALID'])
  expect(await codeOf('/v1/track', '{}', { 'content-type': 'text/html' })).toEqual([
    415,
    'MEDIA_TYPE_UNSUPPORTED',
  ])
  const order = (lines: number) => ({
    type: 'track',
    event: 'Order Completed',
    properties: { products: Array(lines).fill(1) },
  })
  const many = { batch: [order(25_000), order(25_001)] }
  expect(await codeOf('/v1/batch', JSON.stringify(many))).toEqual([413, 'BODY_TOO_LARGE'])
  expect(await api.rejected()).toEqual([])
})

test('a full server says 503 with Retry-After, so that the libraries try again', async () => {
  const full = await openShop()
  full.ingest.isFull = true
  const response = await full.app.inject({ method: 'POST', url: '/v1/page', payload: { userId: 'u' } })
  expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1'])
  await full.app.close()
})
