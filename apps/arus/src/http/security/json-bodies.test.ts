import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTarget } from './test-target.ts'

let target: Awaited<ReturnType<typeof openTarget>>
beforeAll(async () => {
  target = await openTarget()
})
afterAll(() => target.app.close())

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(target.url + path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })

/** Stacks overflow at some ten thousand. */
const DEPTH = 200_000
/** A route of each way to read a body. */
const PARSERS = ['/stream/events', '/v1/track', '/v1/batch', '/mp/collect', '/sql', '/keys']
const BOMBS = {
  'nested arrays': '['.repeat(DEPTH) + ']'.repeat(DEPTH),
  'nested arrays left open': '['.repeat(DEPTH),
  'nested objects': `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`,
  'nested objects that name the prototype': `${'{"__proto__":'.repeat(DEPTH / 2)}1${'}'.repeat(DEPTH / 2)}`,
  'nested arrays beside a long number': `[12345678901234567890,${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}]`,
  'a batch whose messages are nested': `{"batch":[${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}],"events":[{"name":"x","params":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}]}`,
  '200,000 empty events': `[${'{},'.repeat(200_000)}{}]`,
  'one text of 15 MB': `{"user_id":"x","action":"${'a'.repeat(15_000_000)}"}`,
  'a number of 100,000 digits': `{"user_id":${'9'.repeat(100_000)},"action":"view"}`,
  'one object with 200,000 keys': `{${Array.from({ length: 200_000 }, (_, i) => `"${i}":1`).join(',')}}`,
}

describe('JSON bombs', () => {
  test.each(Object.entries(BOMBS))('%s: refused or taken, never a failure', async (_, bomb) => {
    for (const path of PARSERS) {
      const response = await post(path, bomb, { 'idempotency-key': '"bomb"' })
      const text = await response.text()
      expect([path, response.status, text.slice(0, 300)]).toEqual([
        path,
        expect.toBeOneOf([200, 204, 400, 403, 413, 422]),
        expect.any(String),
      ])
    }
    expect((await fetch(`${target.url}/health`)).status).toBe(200)
  })
})

describe('prototype pollution', () => {
  const POLLUTED = { isAdmin: true, scope: 'open', status: 200 }
  const poison = JSON.stringify(POLLUTED)
  const BODIES = [
    `{"__proto__":${poison},"user_id":"x","action":"view","event":"x","userId":"x","events":[],"batch":[]}`,
    `[{"__proto__":${poison}},{"constructor":{"prototype":${poison}}}]`,
    `{"\\u005f_proto__":${poison},"constructor":{"prototype":${poison}}}`,
    `{"batch":[{"type":"track","event":"x","userId":"u","properties":{"__proto__":${poison},"constructor":{"prototype":${poison}}}}]}`,
    `{"client_id":"c","events":[{"name":"__proto__","params":{"__proto__":${poison},"items":[{"__proto__":${poison}}]}}]}`,
    `{"sql":"SELECT 1","params":{"__proto__":${poison}},"__proto__":${poison}}`,
    `{"kind":"admin","name":"x","__proto__":${poison}}`,
  ]

  test('no body reaches the prototype of objects', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype)
    for (const path of target.posts) {
      for (const body of BODIES) {
        const response = await post(path, body)
        expect([path, body, response.status < 500 || response.status === 503]).toEqual([path, body, true])
        await response.text()
      }
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
    expect(JSON.stringify(target.ingest.accepted)).not.toMatch(/"__proto__":/)
  })

  test('nor does a query, a path, or a header', async () => {
    for (const path of [
      '/products?__proto__[isAdmin]=1&constructor[prototype][isAdmin]=1&__proto__.isAdmin=1&limit=5',
      '/products/__proto__',
      '/products/constructor',
      '/recommendations/user/__proto__',
      '/recommendations/constructor',
      '/tables/__proto__/preview',
      '/v1/__proto__',
    ]) {
      const response = await fetch(target.url + path, {
        headers: { constructor: 'x', 'idempotency-key': '__proto__' },
      })
      expect([path, response.status < 500 || response.status === 503]).toEqual([path, true])
      await response.text()
    }
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
  })
})
