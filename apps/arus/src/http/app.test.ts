import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ArusError, ERROR_CODES } from '../errors.ts'
import { PROBLEM_TITLES } from './problem-codes.ts'
import { expectProblem, openShop } from './test-api.ts'

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop.app.close())

const get = (url: string, headers: Record<string, string> = {}) =>
  shop.app.inject({ method: 'GET', url, headers })

describe('HTTP itself', () => {
  test('whatever is asked, the server never fails', async () => {
    const names = fc.constantFrom(
      'limit',
      'q',
      'cursor',
      'category',
      'category_id',
      'min_price',
      'max_price',
      'exclude',
      'session_id',
      'scenario',
      'from',
      'to',
      'interval',
      'steps',
      'window',
      'where',
      'split_by',
    )
    const values = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.double().map(String),
      fc.constantFrom('1', '-1', '', '1e400', '%00'),
    )
    const paths = fc.oneof(
      fc.constantFrom(
        '/products',
        '/recommendations/trending',
        '/analytics/funnel',
        '/analytics/timeline',
        '/analytics/trends',
        '/analytics/retention',
        '/analytics/attribution',
        '/analytics/searches',
        '/analytics/users/ann',
      ),
      fc
        .tuple(
          fc.constantFrom(
            '/recommendations/user/',
            '/recommendations/session/',
            '/recommendations/similar/',
            '/recommendations/',
            '/products/',
          ),
          fc.string({ unit: 'binary' }).map((id) => encodeURIComponent(id.toWellFormed())),
        )
        .map((parts) => parts.join('')),
    )
    await fc.assert(
      fc.asyncProperty(paths, fc.array(fc.tuple(names, values), { maxLength: 4 }), async (path, query) => {
        const search = query
          .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
          .join('&')
        const response = await get(`${path}?${search}`)
        expect([200, 400, 404]).toContain(response.statusCode)
        if (response.statusCode !== 200) expect(response.headers['content-type']).toContain('problem+json')
      }),
      { numRuns: 300 },
    )
  })

  test('an unknown address is 404, a wrong method 405 with Allow', async () => {
    await expectProblem(await get('/nope'), 404, 'NOT_FOUND')
    await expectProblem(await get('/products/a/b'), 404, 'NOT_FOUND')
    const wrong = await shop.app.inject({ method: 'DELETE', url: '/products/p1' })
    await expectProblem(wrong, 405, 'METHOD_NOT_ALLOWED')
    expect(wrong.headers.allow).toBe('GET, HEAD')
    await expectProblem(await get('/stream/events'), 405, 'METHOD_NOT_ALLOWED')
    await expectProblem(
      await shop.app.inject({
        method: 'POST',
        url: '/health',
        payload: '{',
        headers: { 'content-type': 'application/json' },
      }),
      405,
      'METHOD_NOT_ALLOWED',
    )
  })

  test('HEAD answers without a body, OPTIONS lets other origins in', async () => {
    const head = await shop.app.inject({ method: 'HEAD', url: '/health' })
    expect(head.statusCode).toBe(200)
    expect(head.body).toBe('')
    const preflight = await shop.app.inject({
      method: 'OPTIONS',
      url: '/stream/events',
      headers: { origin: 'http://localhost:8501', 'access-control-request-method': 'POST' },
    })
    expect(preflight.statusCode).toBe(204)
    expect(preflight.headers['access-control-allow-origin']).toBe('*')
    expect((await shop.app.inject({ method: 'OPTIONS', url: '/health' })).statusCode).toBeLessThan(300)
    expect((await get('/health')).headers['access-control-allow-origin']).toBe('*')
  })

  test('a path that is no valid encoding is a problem document', async () => {
    await expectProblem(await get('/products/%E0%A4%A'), 400, 'REQUEST_INVALID')
  })

  test('a request id that is short and plain is taken over, another is not', async () => {
    const answer = await get('/nope', { 'x-request-id': 'abc-1' })
    expect([answer.json().request_id, answer.headers['x-request-id']]).toEqual(['abc-1', 'abc-1'])
    expect((await get('/nope', { 'x-request-id': 'a b\tc' })).json().request_id).not.toContain(' ')
  })

  test('large answers are compressed for who asks', async () => {
    const response = await get('/products?limit=30', { 'accept-encoding': 'gzip' })
    expect(response.headers['content-encoding']).toBe('gzip')
  })

  test('a failure inside tells nothing of the inside', async () => {
    const broken = await openShop({ models: () => Promise.reject(new TypeError('secret at /home/x')) })
    const response = await broken.app.inject('/models')
    await expectProblem(response, 500, 'INTERNAL')
    expect(response.body).not.toContain('secret')
    await broken.app.close()
    const corrupt = new ArusError('MODEL_FILE_CORRUPT', 'secret at /home/x')
    const damaged = await openShop({ models: () => Promise.reject(corrupt) })
    const answer = await damaged.app.inject('/models')
    await expectProblem(answer, 500, 'MODEL_FILE_CORRUPT')
    expect(answer.body).not.toContain('secret')
    await damaged.app.close()
  })

  test('a rate limit, when set, answers 429', async () => {
    const limited = await openShop({ rateLimitPerMinute: 2 })
    for (let i = 0; i < 2; i++) expect((await limited.app.inject('/')).statusCode).toBe(200)
    await expectProblem(await limited.app.inject('/'), 429, 'RATE_LIMITED')
    await limited.app.close()
  })

  test('bytes that are not HTTP get a problem document', async () => {
    const server = await openShop()
    await server.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = server.app.server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    socket.end('NONSENSE\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toContain('400 Bad Request')
    expect(text).toContain('"code":"REQUEST_INVALID"')
    await server.app.close()
  })

  test('every code of the program has a title', () => {
    expect(Object.keys(PROBLEM_TITLES).sort()).toEqual(
      [...Object.keys(ERROR_CODES), 'METHOD_NOT_ALLOWED'].sort(),
    )
  })
})
