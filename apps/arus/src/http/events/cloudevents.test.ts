import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openLoggedApi } from './test-logged-api.ts'

let api: Awaited<ReturnType<typeof openLoggedApi>>
beforeAll(async () => {
  api = await openLoggedApi()
})
afterAll(() => api.close())
beforeEach(() => api.skipPast())

const post = (body: unknown, headers: Record<string, string>) =>
  api.app.inject({
    method: 'POST',
    url: '/stream/events',
    payload: typeof body === 'string' ? body : JSON.stringify(body),
    headers,
  })
const STRUCTURED = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
const BATCHED = { 'content-type': 'application/cloudevents-batch+json' }
const data = { user_id: 'u', product_id: 'p' }
const envelope = (id: string, more: object = {}) => ({
  specversion: '1.0',
  id,
  source: '/shop',
  type: 'shop.view',
  data,
  ...more,
})

describe('CloudEvents on /stream/events', () => {
  test('are the same event in each of the three modes, counted once', async () => {
    const time = new Date(Date.now() - 60_000).toISOString()
    const binary = {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': '%E2%82%AC1',
      'ce-source': '/shop',
      'ce-type': 'shop.view',
      'ce-time': time,
    }
    const whole = envelope('€1', { time })
    const first = await post(whole, STRUCTURED)
    expect(first.json()).toMatchObject({ accepted: 1, duplicates: 0 })
    expect((await post([whole], BATCHED)).json()).toMatchObject({ accepted: 0, duplicates: 1 })
    expect((await post(data, binary)).json()).toMatchObject({ accepted: 0, duplicates: 1 })
    expect(await api.events()).toMatchObject([
      { event_id: '/shop €1', action: 'view', user_id: 'u', product_id: 'p', ts: Date.parse(time) },
    ])
  })

  test('in binary mode alone become an event too', async () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'b',
      'ce-source': '/s',
      'ce-type': 'click',
      'ce-trace': 'a%',
    }
    await post(data, { 'content-type': 'application/json', ...headers })
    expect(await api.events()).toMatchObject([
      { event_id: '/s b', action: 'click', properties: { cloudevent: { trace: 'a%' } } },
    ])
  })

  test('a bad one of a batch sinks no other; a bad one alone is a 400', async () => {
    const response = await post([envelope('x'), envelope('y', { specversion: '2' }), 7], BATCHED)
    expect(response.json()).toMatchObject({
      accepted: 1,
      rejected: 2,
      errors: [
        { index: 1, pointer: '/specversion' },
        { index: 2, pointer: '' },
      ],
    })
    expect(JSON.parse((await api.rejected())[0]?.raw ?? '')).toMatchObject({ id: 'y', specversion: '2' })
    const alone = await post(envelope('z', { data: 3 }), STRUCTURED)
    expect(alone.statusCode).toBe(400)
    expect(alone.json().errors).toEqual([{ pointer: '/data', reason: expect.any(String) }])
    const headless = await post(data, { 'content-type': 'application/json', 'ce-specversion': '1.0' })
    expect(headless.json().errors[0].pointer).toBe('/id')
  })

  test.each([
    ['{', STRUCTURED],
    ['', STRUCTURED],
    ['{}', BATCHED],
  ])('a body %j that is not what it says is a 400', async (body, headers) => {
    const response = await post(body, headers)
    expect([response.statusCode, response.json().code]).toEqual([400, 'REQUEST_INVALID'])
  })
})
