import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectProblem, NOW_MS, openShop } from '../test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.app.close())

const get = (url: string, headers: Record<string, string> = {}) =>
  shop.app.inject({ method: 'GET', url, headers })

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
