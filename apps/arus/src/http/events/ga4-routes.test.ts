import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openLoggedApi } from './test-logged-api.ts'

let api: Awaited<ReturnType<typeof openLoggedApi>>
beforeAll(async () => {
  api = await openLoggedApi()
})
afterAll(() => api.close())
beforeEach(() => api.skipPast())

const QUERY = 'measurement_id=G-1&api_secret=s'
const post = (path: string, body: unknown, contentType = 'application/json') =>
  api.app.inject({
    method: 'POST',
    url: `${path}?${QUERY}`,
    payload: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': contentType },
  })

const body = (more: object = {}) => ({
  client_id: '1.2',
  timestamp_micros: (Date.now() - 1_000) * 1_000,
  events: [
    { name: 'view_item', params: { items: [{ item_id: 'p1', price: 5 }] } },
    { name: 'purchase', params: { transaction_id: 'T', items: [{ item_id: 'p1' }, { item_id: 'p2' }] } },
  ],
  ...more,
})

test('a body sent again counts once, and answers 204 with nothing', async () => {
  const same = body()
  for (const contentType of ['application/json', 'text/plain;charset=UTF-8']) {
    const response = await post('/mp/collect', same, contentType)
    expect([response.statusCode, response.body]).toEqual([204, ''])
  }
  const events = await api.events()
  expect(events.map(({ action, product_id, anonymous_id }) => [action, product_id, anonymous_id])).toEqual([
    ['view', 'p1', '1.2'],
    ['purchase', 'p1', '1.2'],
    ['purchase', 'p2', '1.2'],
  ])
  expect(JSON.stringify(events)).not.toContain('api_secret')
})

test('without a timestamp a body sent again counts again', async () => {
  const timeless = body({ timestamp_micros: undefined })
  await post('/mp/collect', timeless)
  await post('/mp/collect', timeless)
  expect(await api.events()).toHaveLength(6)
})

test('bad events are kept as rejected and change nothing in the answer', async () => {
  const response = await post('/mp/collect', body({ events: [{ name: 'view_item' }, { name: 'search' }] }))
  expect(response.statusCode).toBe(204)
  expect((await api.events()).map(({ action }) => action)).toEqual(['search'])
  expect((await api.rejected()).map(({ pointer }) => pointer)).toEqual(['/product_id'])
})

test('the debug address says what is wrong and takes nothing in', async () => {
  expect((await post('/debug/mp/collect', body())).json()).toEqual({ validationMessages: [] })
  const response = await post('/debug/mp/collect', body({ events: [{ name: 'view_item' }, { params: {} }] }))
  expect(response.statusCode).toBe(200)
  expect(response.json()).toEqual({
    validationMessages: [
      {
        fieldPath: 'events.params.items.item_id',
        description: expect.stringContaining('product_id'),
        validationCode: 'VALUE_INVALID',
      },
      { fieldPath: 'events.name', description: expect.any(String), validationCode: 'VALUE_INVALID' },
    ],
  })
  expect([await api.events(), await api.rejected()]).toEqual([[], []])
})

test.each(['', '{', '[]', '{}', '{"events": {}}'])('a body %j is a problem document', async (text) => {
  const response = await post('/mp/collect', text)
  expect([response.statusCode, response.json().code]).toEqual([400, 'REQUEST_INVALID'])
})
