import { once } from 'node:events'
import { connect } from 'node:net'
import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { costOf, openTarget } from './test-target.ts'

/** More memory than this may no hostile body cost (the limit of a body, held a few times while it is read). */
const MEMORY_MB_MAX = 256

let target: Awaited<ReturnType<typeof openTarget>>
beforeAll(async () => {
  target = await openTarget()
})
afterAll(() => target.app.close())

async function statusOf(body: Buffer, encoding: string, path = '/stream/events'): Promise<number> {
  const response = await fetch(target.url + path, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': 'application/json', 'content-encoding': encoding },
  })
  await response.text()
  return response.status
}

describe('what grows when it is unpacked', () => {
  const plain = Buffer.alloc(512 * 1024 * 1024, 32)
  const bombs: readonly (readonly [string, Buffer])[] = [
    ['gzip', gzipSync(plain)],
    ['deflate', deflateSync(plain)],
    ['br', brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ]

  test.each(bombs)('a %s bomb of 512 MB is 413, and is not unpacked', async (encoding, bomb) => {
    const { memoryMb } = await costOf(async () => {
      for (let time = 0; time < 5; time++) expect(await statusOf(bomb, encoding)).toBe(413)
    })
    expect(memoryMb).toBeLessThan(MEMORY_MB_MAX)
  })

  test('gzip within gzip, and an encoding nobody knows, are 415', async () => {
    expect(await statusOf(gzipSync(gzipSync('[]')), 'gzip, gzip')).toBe(415)
    expect(await statusOf(Buffer.from('[]'), 'zstd')).toBe(415)
    expect(await statusOf(Buffer.from('[]'), 'x'.repeat(5_000))).toBe(415)
  })

  test('what is cut off or follows garbage is 400', async () => {
    const good = gzipSync(JSON.stringify([{ user_id: 'x', action: 'view', product_id: 'p' }]))
    expect(await statusOf(good, 'gzip')).toBe(200)
    expect(await statusOf(good.subarray(0, good.length - 4), 'gzip')).toBe(400)
    expect(await statusOf(Buffer.concat([Buffer.from('x'), good]), 'gzip')).toBe(400)
  })
})

test('a body without end is cut off at the limit', async () => {
  const socket = connect(target.port, '127.0.0.1')
  socket.on('error', () => {})
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text
  })
  socket.write(
    'POST /stream/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
  )
  const megabyte = `100000\r\n${' '.repeat(1024 * 1024)}\r\n`
  let sentMb = 0
  const { memoryMb } = await costOf(async () => {
    while (!socket.destroyed && !answer.includes('\r\n\r\n') && sentMb < 1_024) {
      sentMb += 1
      // Rejects when the server has hung up, which ends the loop.
      if (!socket.write(megabyte)) await once(socket, 'drain').catch(() => socket.destroy())
    }
  })
  socket.destroy()
  expect(answer).toMatch(/^HTTP\/1\.1 413/)
  expect(sentMb).toBeLessThan(64)
  expect(memoryMb).toBeLessThan(MEMORY_MB_MAX)
})

test('a declared length beyond the limit is refused before a byte of it came', async () => {
  const socket = connect(target.port, '127.0.0.1')
  socket.write(
    'POST /stream/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10737418240\r\n\r\n',
  )
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  expect(bytes.toString()).toMatch(/^HTTP\/1\.1 413/)
  socket.destroy()
})

test('a gzip stream that never ends is cut off too', async () => {
  const socket = connect(target.port, '127.0.0.1')
  socket.on('error', () => {})
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text
  })
  socket.write(
    'POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n',
  )
  const zip = createGzip()
  zip.on('data', (part: Buffer) => {
    if (socket.writable)
      socket.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]))
  })
  const zeros = Buffer.alloc(4 * 1024 * 1024)
  for (let sent = 0; sent < 256 && answer === ''; sent++) {
    if (!zip.write(zeros)) await once(zip, 'drain')
    await new Promise(setImmediate)
  }
  zip.destroy()
  socket.destroy()
  expect(answer).toMatch(/^HTTP\/1\.1 413/)
})

test('who sends 64 MB before reading anything is told that it is too much', async () => {
  const body = Buffer.alloc(64 * 1024 * 1024, 32)
  const socket = connect(target.port, '127.0.0.1').pause()
  socket.write(
    `POST /stream/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
  )
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.write(body, (error) => (error ? reject(error) : resolve()))
  })
  const ended = once(socket, 'end')
  const [bytes] = (await once(socket.resume(), 'data')) as [Buffer]
  expect(bytes.toString()).toMatch(/^HTTP\/1\.1 413/)
  await ended
  socket.destroy()
})

test('a connection that was told of 20,000 mistakes closes as any other', async () => {
  const socket = connect(target.port, '127.0.0.1').setEncoding('latin1')
  let answers = 0
  socket.on('data', (text: string) => {
    answers += text.split('HTTP/1.1 404').length - 1
  })
  const asked = 'GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(100)
  for (let count = 100; count <= 20_000; count += 100) {
    socket.write(asked)
    // An answer may come in two parts, and is counted when a part has its status whole.
    while (answers < count - 50) await once(socket, 'data')
  }
  const closed = once(socket, 'close')
  socket.write('GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  await closed
})
