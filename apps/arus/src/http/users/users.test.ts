import { afterAll, beforeAll, expect, test } from 'vitest'
import { openShop } from '../test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.app.close())

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
