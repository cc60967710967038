import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTarget, sendRaw } from './test-target.ts'

let target: Awaited<ReturnType<typeof openTarget>>
beforeAll(async () => {
  target = await openTarget()
})
afterAll(() => target.app.close())

const head = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])

test.each([
  ['one header of 1 MB', [`x-large: ${'a'.repeat(1_000_000)}`]],
  ['100,000 headers', Array.from({ length: 100_000 }, (_, i) => `x-${i}: 1`)],
  ['a bearer token of 64 kB', [`authorization: Bearer ${'a'.repeat(65_536)}`]],
])('%s: 431 and the connection is closed', async (_, headers) => {
  const answer = await sendRaw(target.port, head(['GET /health HTTP/1.1', 'host: x', ...headers]))
  expect(statusOf(answer)).toBe(431)
  expect(answer).toContain('application/problem+json')
})

test('an address of 1 MB is refused', async () => {
  const answer = await sendRaw(
    target.port,
    head([`GET /products?q=${'a'.repeat(1_000_000)} HTTP/1.1`, 'host: x']),
  )
  expect(statusOf(answer)).toBe(431)
})

test('two lengths, or a length beside chunks, are refused: no request hides in another', async () => {
  const smuggled = 'GET /keys HTTP/1.1\r\nhost: x\r\n\r\n'
  for (const lines of [
    ['content-length: 5', 'content-length: 6'],
    ['content-length: 5', 'transfer-encoding: chunked'],
    ['transfer-encoding: xchunked'],
    ['transfer-encoding: chunked, identity'],
    ['content-length: -1'],
    ['content-length: 0x5'],
    ['transfer-encoding : chunked'],
  ]) {
    const request = head([
      'POST /stream/events HTTP/1.1',
      'host: x',
      'content-type: application/json',
      ...lines,
    ])
    const answer = await sendRaw(target.port, `${request}0\r\n\r\n${smuggled}`, 500)
    expect([lines, statusOf(answer)]).toEqual([lines, 400])
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
  }
})

test('a header twice is one header or a refusal, never both taken', async () => {
  const bodies = JSON.stringify({ user_id: 'x', action: 'view', product_id: 'p' })
  const request = (lines: readonly string[]) =>
    head([
      'POST /stream/events HTTP/1.1',
      'host: x',
      'connection: close',
      `content-length: ${bodies.length}`,
      ...lines,
    ]) + bodies
  for (const [lines, status] of [
    [['content-type: application/json', 'content-type: text/html'], 200],
    [['content-type: application/json', 'idempotency-key: "a"', 'idempotency-key: "b"'], 400],
  ] as const)
    expect([lines, statusOf(await sendRaw(target.port, request(lines)))]).toEqual([lines, status])
})

test.each([
  ['a parameter that is repeated', 'limit=1&limit=2', 400],
  ['a parameter that is a list', 'limit[]=1', 200],
  ['a parameter that is an object', 'limit[a]=1', 200],
  ['1,500 parameters', Array.from({ length: 1_500 }, (_, i) => `p${i}`).join('&'), 200],
  ['a number that is none', 'limit=1e1', 200],
  ['hexadecimal', 'limit=0xZ', 400],
  ['a number beyond all numbers', 'limit=1e999', 400],
  ['not a number', 'limit=NaN', 400],
  ['a null byte', 'limit=%00', 400],
  ['a broken encoding', 'q=%E0%A4%A', 200],
  ['a lone surrogate', 'q=%ED%A0%80', 200],
  ['a text that is too long', `q=${'a'.repeat(5_000)}`, 400],
  ['a truth for a number', 'min_price=true', 400],
  ['infinity', 'min_price=Infinity', 400],
])('%s in a query', async (_, query, status) => {
  const response = await fetch(`${target.url}/products?${query}`)
  const { request_id = '' } = (await response.json()) as { request_id?: string }
  expect([response.status, typeof request_id]).toEqual([status, 'string'])
})

test('who sends slowly is cut off', () => {
  const { server } = target.app
  expect([server.headersTimeout, server.requestTimeout]).toEqual([60_000, 120_000])
})

test('answers and refusals alike tell browsers to guess no type, show no frame and run no script', async () => {
  for (const path of ['/health', '/nope', '/products?limit=0']) {
    const { headers } = await fetch(target.url + path)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect([headers.get('set-cookie'), headers.get('server'), headers.get('x-powered-by')]).toEqual([
      null,
      null,
      null,
    ])
  }
})
