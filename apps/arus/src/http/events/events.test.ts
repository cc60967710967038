import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectProblem, openShop } from '../test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.app.close())

const post = (payload: string | Buffer, headers: Record<string, string> = {}) =>
  shop.app.inject({
    method: 'POST',
    url: '/stream/events',
    payload,
    headers: { 'content-type': 'application/json', ...headers },
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
