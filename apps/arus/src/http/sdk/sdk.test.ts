import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openShop } from '../test-api.ts'

const SIZE_BYTES_MAX = 3_000

let shop: Awaited<ReturnType<typeof openShop>>
beforeAll(async () => {
  shop = await openShop()
})
afterAll(async () => shop.app.close())

describe.each(['/sdk/arus.js', '/sdk/arus.mjs'])('%s', (url) => {
  test('is a script for pages of any origin, below 3 kB in gzip', async () => {
    const { statusCode, headers, body } = await shop.app.inject(url)
    expect(statusCode).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
    })
    expect(body).toContain('/stream/events')
    expect(gzipSync(body).byteLength).toBeLessThan(SIZE_BYTES_MAX)
  })

  test('goes out compressed, and is not sent again to who has it', async () => {
    const headers = { 'accept-encoding': 'gzip' }
    const first = await shop.app.inject({ url, headers })
    expect(first.headers['content-encoding']).toBe('gzip')
    expect(first.headers['cache-control']).toContain('max-age=300')
    const { etag } = first.headers
    for (const known of [etag, `"other", ${etag}`]) {
      const again = await shop.app.inject({ url, headers: { ...headers, 'if-none-match': known } })
      expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', etag])
    }
    const stale = await shop.app.inject({ url, headers: { 'if-none-match': 'W/"an-older-one"' } })
    expect(stale.statusCode).toBe(200)
  })
})

test('the module exports what the classic script starts by itself', async () => {
  const module = (await shop.app.inject('/sdk/arus.mjs')).body
  const script = (await shop.app.inject('/sdk/arus.js')).body
  expect(module).toMatch(/export\s*\{\s*\w+ as init\s*\}/)
  expect(script).not.toMatch(/\bexport\b/)
  expect(script).toContain('currentScript')
})

test('events are taken as a beacon brings them: JSON as plain text, the key in the address', async () => {
  const events = [{ event_id: 'e1', anonymous_id: 'a', action: 'view', product_id: 'p1' }]
  const send = () =>
    shop.app.inject({
      method: 'POST',
      url: '/stream/events?key=pk_test',
      headers: { 'content-type': 'text/plain;charset=UTF-8', origin: 'https://shop.example' },
      body: JSON.stringify(events),
    })
  expect((await send()).json()).toMatchObject({ accepted: 1, duplicates: 0 })
  expect((await send()).json()).toMatchObject({ accepted: 0, duplicates: 1 })
  expect(shop.ingest.accepted).toEqual(events)
})
