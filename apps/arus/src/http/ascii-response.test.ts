import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AsciiResponse } from './ascii-response.ts'

let body: string | Buffer = ''
const server = createServer({ ServerResponse: AsciiResponse }, (request, response) => {
  if (request.url === '/chunked') response.write('é,')
  else response.setHeader('content-length', Buffer.byteLength(body))
  response.end(body, null as never, null as never)
})
beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'))
afterAll(() => void server.close())

async function bytesOf(path: string): Promise<Buffer> {
  const { port } = server.address() as AddressInfo
  const [response] = (await once(get({ host: '127.0.0.1', port, path }), 'response')) as [IncomingMessage]
  return Buffer.concat(await response.toArray())
}

test('sends the bytes of UTF-8, whatever the characters', async () => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }))
  await fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 1, max: 3_000 }), async (text, times) => {
      body = text.repeat(times)
      expect((await bytesOf('/')).equals(Buffer.from(body))).toBe(true)
      expect((await bytesOf('/chunked')).equals(Buffer.from(`é,${body}`))).toBe(true)
    }),
    { numRuns: 50 },
  )
})

test('sends bytes as they are', async () => {
  body = Buffer.from([0, 128, 255])
  expect(await bytesOf('/')).toEqual(body)
})
