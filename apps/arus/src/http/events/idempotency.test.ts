import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openKeyedApi } from '../keys/test-keyed-api.ts'
import { openShop } from '../test-api.ts'
import { withClaimedIds } from './idempotency-key.ts'
import { IdempotentAnswers } from './idempotent-answers.ts'
import { openLoggedApi } from './test-logged-api.ts'

let api: Awaited<ReturnType<typeof openLoggedApi>>
beforeEach(async () => {
  api = await openLoggedApi()
})
afterEach(() => api.close())

const EVENTS = [
  { user_id: 1, action: 'view', product_id: 'p1' },
  { user_id: 1, action: 'view', product_id: 'p1' },
]
const send = (key: string | undefined, payload: unknown = EVENTS, url = '/stream/events') =>
  api.app.inject({
    method: 'POST',
    url,
    payload: payload as object,
    headers: key === undefined ? {} : { 'idempotency-key': key },
  })

describe('Idempotency-Key', () => {
  test('the same request again gets the same answer and does nothing', async () => {
    const first = await send('"order-7"', [...EVENTS, 7])
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    expect(first.json()).toMatchObject({ accepted: 2, duplicates: 0, rejected: 1 })
    for (const key of ['"order-7"', 'order-7']) {
      const again = await send(key, [...EVENTS, 7])
      expect([again.statusCode, again.body, again.headers['idempotency-replayed']]).toEqual([
        200,
        first.body,
        'true',
      ])
    }
    expect(await api.events()).toHaveLength(2)
    expect(await api.rejected()).toHaveLength(1)
  })

  test('the body counts as it is understood, not as it is written', async () => {
    await send('"a"')
    const spaced = await api.app.inject({
      method: 'POST',
      url: '/stream/events',
      payload: EVENTS.map((event) => JSON.stringify(event)).join('\n'),
      headers: { 'idempotency-key': '"a"', 'content-type': 'application/x-ndjson' },
    })
    expect(spaced.headers['idempotency-replayed']).toBe('true')
  })

  test('another body under the same key is 422 and is not taken', async () => {
    await send('"a"')
    const other = await send('"a"', [{ ...EVENTS[0], product_id: 'p2' }])
    expect([other.statusCode, other.json().code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
    expect(other.headers['content-type']).toContain('application/problem+json')
    expect(await api.events()).toHaveLength(2)
  })

  test('while the first is under way the second is 409; the events count once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => send('"a"')))
    const statuses = answers.map(({ statusCode }) => statusCode)
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0)
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true)
    expect(await api.events()).toHaveLength(2)
  })

  test('without a key the same events are other events', async () => {
    await send(undefined)
    await send(undefined)
    await send('"a"')
    await send('"b"')
    expect(await api.events()).toHaveLength(8)
  })

  test('on /mp/collect too, where a hit without a time cannot be told from its repeat', async () => {
    const hit = { client_id: 'c', events: [{ name: 'view_item', params: { items: [{ item_id: 'p' }] } }] }
    const first = await send('"hit"', hit, '/mp/collect')
    const again = await send('"hit"', hit, '/mp/collect')
    expect([first.statusCode, again.statusCode, again.headers['idempotency-replayed']]).toEqual([
      204,
      204,
      'true',
    ])
    expect(await api.events()).toHaveLength(1)
    expect((await send('"hit"')).statusCode).toBe(200)
  })

  test.each(['', '""', '"a', 'a b', '"a", "b"', '"a";q=1', `"${'x'.repeat(256)}"`, 'é'])(
    'that is “%s” is 400',
    async (key) => {
      const response = await send(key)
      expect([response.statusCode, response.json().code]).toEqual([400, 'REQUEST_INVALID'])
      expect(await api.events()).toHaveLength(0)
    },
  )

  test('after a failure the work may be tried again', async () => {
    const shop = await openShop()
    const ask = () =>
      shop.app.inject({
        method: 'POST',
        url: '/stream/events',
        payload: EVENTS,
        headers: { 'idempotency-key': '"a"' },
      })
    shop.ingest.isFull = true
    expect((await ask()).statusCode).toBe(503)
    shop.ingest.isFull = false
    expect((await ask()).json()).toMatchObject({ accepted: 2 })
    await shop.app.close()
  })

  test('a server that forgot the answer still counts nothing twice, and loses nothing', async () => {
    const first = await openShop()
    const ask = ({ app }: typeof first, payload: object) =>
      app.inject({ method: 'POST', url: '/stream/events', payload, headers: { 'idempotency-key': '"a"' } })
    expect((await ask(first, EVENTS)).json()).toMatchObject({ accepted: 2 })
    const restarted = await openShop({ ingest: () => first.ingest })
    expect((await ask(restarted, EVENTS)).json()).toMatchObject({ accepted: 0, duplicates: 2 })
    const again = await openShop({ ingest: () => first.ingest })
    expect((await ask(again, [{ ...EVENTS[0], product_id: 'p2' }])).json()).toMatchObject({ accepted: 1 })
    for (const { app } of [first, restarted, again]) await app.close()
  })

  test('two clients with the same key do not see each other’s answers', async () => {
    const keyed = await openKeyedApi()
    const [one, other] = [await keyed.key('secret'), await keyed.key('secret')]
    const ask = (key: string, payload: object) =>
      keyed.app.inject({
        method: 'POST',
        url: '/stream/events',
        payload,
        headers: { 'idempotency-key': '"1"', authorization: `Bearer ${key}` },
      })
    expect((await ask(one, EVENTS)).json()).toMatchObject({ accepted: 2 })
    const second = await ask(other, EVENTS)
    expect([second.json().accepted, second.headers['idempotency-replayed']]).toEqual([2, undefined])
    await keyed.close()
  })
})

describe('kept answers', () => {
  test('are forgotten after the window', async () => {
    let nowMs = 0
    const answers = new IdempotentAnswers({ windowMs: 1_000, now: () => nowMs })
    const claim = { id: 'a', fingerprint: 'f' }
    const once = async () => (await answers.once(claim, async () => nowMs)).answer
    expect(await once()).toBe(0)
    nowMs = 999
    expect(await once()).toBe(0)
    nowMs = 1_000
    expect(await once()).toBe(1_000)
  })

  test('are bounded in number and in size: the oldest go first', async () => {
    for (const bounds of [{ answersMax: 10 }, { charactersMax: 1_000 }]) {
      const answers = new IdempotentAnswers({ windowMs: 1_000, now: () => 0, ...bounds })
      const ask = async (id: number) =>
        (await answers.once({ id: String(id), fingerprint: '' }, async () => 'x'.repeat(98))).isReplayed
      for (let id = 0; id < 1_000; id++) expect(await ask(id)).toBe(false)
      expect(await ask(999)).toBe(true)
      expect(await ask(993)).toBe(true)
      expect(await ask(980)).toBe(false)
    }
  })

  test('a bound drops no work under way', async () => {
    const answers = new IdempotentAnswers({ windowMs: 1_000, now: () => 0, answersMax: 2 })
    const slow = Promise.withResolvers<string>()
    const first = answers.once({ id: 'slow', fingerprint: '' }, () => slow.promise)
    for (let id = 0; id < 10; id++) await answers.once({ id: String(id), fingerprint: '' }, async () => 'x')
    await expect(answers.once({ id: 'slow', fingerprint: '' }, async () => 'y')).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_IN_USE',
    })
    slow.resolve('done')
    expect((await first).answer).toBe('done')
  })
})

test('ids made from a claim are the same for the same claim, and differ by place, key and content', () => {
  const claim = fc.record({ id: fc.string(), fingerprint: fc.string() })
  fc.assert(
    fc.property(claim, claim, fc.integer({ min: 1, max: 5 }), (one, other, count) => {
      const events = Array.from({ length: count }, () => ({}))
      const ids = withClaimedIds(events, one) as { event_id: string }[]
      expect(withClaimedIds(events, one)).toEqual(ids)
      expect(new Set(ids.map(({ event_id }) => event_id)).size).toBe(count)
      if (JSON.stringify(one) !== JSON.stringify(other))
        expect(withClaimedIds(events, other)[0]).not.toEqual(ids[0])
    }),
  )
  const given = [{ event_id: 'mine' }, 7, null, [1]]
  expect(withClaimedIds(given, { id: 'a', fingerprint: 'b' })).toEqual(given)
})
