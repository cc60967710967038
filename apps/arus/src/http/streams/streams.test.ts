import { connect, type Socket } from 'node:net'
import Fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { openShop } from '../test-api.ts'
import { Coalesced } from './coalesced.ts'
import { SseConnection } from './sse-connection.ts'

interface Message {
  readonly id: string
  readonly event: string
  readonly data: Record<string, unknown>
}

/** Reads a stream over a real connection; `until` waits for what the test expects, with a deadline. */
class StreamReader {
  readonly messages: Message[] = []
  text = ''
  isEnded = false
  readonly #controller = new AbortController()
  #status = 0

  static async open(url: string, headers: Record<string, string> = {}): Promise<StreamReader> {
    const reader = new StreamReader()
    const response = await fetch(url, { headers, signal: reader.#controller.signal })
    reader.#status = response.status
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    void reader.#read(response.body as ReadableStream<Uint8Array>)
    return reader
  }

  get status(): number {
    return this.#status
  }

  leave(): void {
    this.#controller.abort()
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    try {
      for await (const chunk of body) {
        const text = decoder.decode(chunk, { stream: true })
        this.text += text
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) this.#take(block)
      }
    } catch {
      // The test left.
    }
    this.isEnded = true
  }

  #take(block: string): void {
    const fields = Object.fromEntries(
      block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]),
    )
    if (fields.data === undefined) return
    this.messages.push({ id: fields.id ?? '', event: fields.event ?? '', data: JSON.parse(fields.data) })
  }
}

async function until(isTrue: () => boolean, deadlineMs = 5_000): Promise<void> {
  const endMs = performance.now() + deadlineMs
  while (!isTrue()) {
    if (performance.now() > endMs) expect.fail(`not within ${deadlineMs} ms: ${isTrue}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

let close: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const work of close.splice(0)) await work()
})

async function serve(changes: Parameters<typeof openShop>[0] = {}) {
  const shop = await openShop(changes)
  close = [() => shop.app.close()]
  const url = await shop.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...shop, url }
}

const firstProduct = ({ data }: Message) => (data.recommendations as { product_id: string }[])[0]?.product_id

describe('/stream/recommendations', () => {
  test('pushes an answer at once, and another after the shopper’s next event', async () => {
    const { url, live } = await serve()
    live.act('ann', 'p0')
    const stream = await StreamReader.open(`${url}/stream/recommendations/ann?limit=3`)
    await until(() => stream.messages.length === 1)
    expect(stream.messages[0]).toMatchObject({
      event: 'recommendations',
      data: { user_id: 'ann', fallback: null },
    })
    expect(stream.messages[0]?.id).toBe(stream.messages[0]?.data.recommendation_id)
    expect(stream.messages.map(firstProduct)).toEqual(['p10'])
    live.act('bob', 'p1')
    live.act('ann', 'p1')
    await until(() => stream.messages.length === 2)
    expect(stream.messages.map(firstProduct)).toEqual(['p10', 'p20'])
    stream.leave()
    await until(() => live.listenerCount('ann') === 0)
  })

  test('answers a burst of events a few times, the last time for its last event', async () => {
    const { url, live } = await serve()
    const stream = await StreamReader.open(`${url}/stream/recommendations/ann?limit=3`)
    await until(() => stream.messages.length === 1)
    for (let i = 0; i < 200; i++) live.act('ann', 'p0')
    live.act('ann', 'p1')
    await until(() => firstProduct(stream.messages.at(-1) as Message) === 'p20')
    expect(stream.messages.length).toBeLessThan(10)
    stream.leave()
  })

  test('without live state gives one answer and ends, so that the client comes back', async () => {
    const { url } = await serve({ live: () => null })
    const stream = await StreamReader.open(`${url}/stream/recommendations/ann`)
    await until(() => stream.isEnded)
    expect(stream.messages).toHaveLength(1)
    expect(stream.text).toMatch(/^retry: \d+\n\n/)
  })

  test('a bad limit is a problem document, not a stream', async () => {
    const { app } = await serve()
    const response = await app.inject('/stream/recommendations/ann?limit=0')
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({ code: 'REQUEST_INVALID' })
  })
})

describe('a client that stops reading', () => {
  test('is seen to be behind within bounds, and dropped after the time-out', async () => {
    const app = Fastify()
    let connection: SseConnection | null = null
    app.get('/', (_request, reply) => {
      connection = new SseConnection(reply, { heartbeatMs: 10, stallTimeoutMs: 100 })
    })
    close = [() => app.close()]
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const socket = await paused(Number(port), '/')
    await until(() => connection !== null)
    const stream = connection as unknown as SseConnection
    const data = 'x'.repeat(10_000)
    let sent = 0
    await until(() => {
      while (stream.isOpen && !stream.isBehind && sent < 100_000) {
        stream.send({ id: String(sent), event: 'test', data })
        sent += 1
      }
      return !stream.isOpen
    })
    expect(sent).toBeGreaterThan(0)
    expect(sent).toBeLessThan(100_000)
    await stream.closed
    socket.destroy()
  })

  test('is told to go on once it has caught up', async () => {
    const app = Fastify()
    let connection: SseConnection | null = null
    let readyCount = 0
    app.get('/', (_request, reply) => {
      connection = new SseConnection(reply, { heartbeatMs: 10_000, stallTimeoutMs: 5_000 })
      connection.onReady(() => {
        readyCount += 1
      })
    })
    close = [() => app.close()]
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const socket = await paused(Number(port), '/')
    await until(() => connection !== null)
    const stream = connection as unknown as SseConnection
    await until(() => {
      for (let i = 0; i < 100 && !stream.isBehind; i++)
        stream.send({ id: '1', event: 'test', data: 'x'.repeat(10_000) })
      return stream.isBehind && readyCount === 0
    })
    const seen = readyCount
    socket.on('data', () => {})
    socket.resume()
    await until(() => readyCount > seen && !stream.isBehind)
    socket.destroy()
    await stream.closed
  })
})

describe('/stream/analytics', () => {
  test('pushes figures at once and when they change; each id is their time', async () => {
    const { url, live } = await serve()
    const stream = await StreamReader.open(`${url}/stream/analytics`)
    await until(() => stream.messages.length === 1)
    expect(stream.messages[0]).toMatchObject({
      event: 'analytics',
      data: { events_total: 0, conversion: { view_to_click: 0.4 } },
    })
    live.act('ann', 'p1')
    await until(() => stream.messages.some(({ data }) => data.events_total === 1))
    const last = stream.messages.at(-1)
    expect(last?.id).toBe(String(last?.data.generated_at))
    stream.leave()
  })

  test('who comes back with the newest id is sent nothing until something changes', async () => {
    const { url, live } = await serve()
    const first = await StreamReader.open(`${url}/stream/analytics`)
    await until(() => first.messages.length === 1)
    const second = await StreamReader.open(`${url}/stream/analytics`, {
      'last-event-id': first.messages[0]?.id ?? '',
    })
    const late = await StreamReader.open(`${url}/stream/analytics`, { 'last-event-id': '1' })
    await until(() => late.messages.length === 1)
    expect(second.messages).toEqual([])
    live.act('ann', 'p1')
    await until(() => second.messages.length === 1)
    for (const stream of [first, second, late]) stream.leave()
  })

  test('a silent stream is kept alive by comments', async () => {
    const { url } = await serve({ heartbeatMs: 20 })
    const stream = await StreamReader.open(`${url}/stream/analytics`)
    await until(() => stream.text.split(': still here').length > 2)
    stream.leave()
  })

  test('closing the server ends streams at once', async () => {
    const { url, app } = await serve()
    const analytics = await StreamReader.open(`${url}/stream/analytics`)
    const answers = await StreamReader.open(`${url}/stream/recommendations/ann`)
    await until(() => analytics.messages.length + answers.messages.length === 2)
    const startedMs = performance.now()
    await app.close()
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    await until(() => analytics.isEnded && answers.isEnded)
  })

  test('open streams are counted', async () => {
    const { url, app } = await serve()
    const stream = await StreamReader.open(`${url}/stream/analytics`)
    const gauge = async () =>
      /arus_sse_connections\{stream="analytics"\} (\d)/.exec((await app.inject('/metrics')).body)?.[1]
    expect(await gauge()).toBe('1')
    stream.leave()
    await expect.poll(gauge, { timeout: 5_000, interval: 20 }).toBe('0')
  })

  test('without live state is 503', async () => {
    const { app } = await serve({ live: () => null })
    expect((await app.inject('/stream/analytics')).json()).toMatchObject({ code: 'NOT_READY', status: 503 })
  })
})

describe('Coalesced', () => {
  test('never runs two at a time, and once more after the last trigger', async () => {
    let running = 0
    let seen = 0
    let value = 0
    const coalesced = new Coalesced(async () => {
      running += 1
      expect(running).toBe(1)
      const read = value
      await new Promise((resolve) => setTimeout(resolve, 1))
      seen = read
      running -= 1
    }, 2)
    for (let i = 0; i < 50; i++) {
      value = i + 1
      coalesced.trigger()
      if (i % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await until(() => seen === 50)
    coalesced.stop()
  })
})

/** Asks for a stream and then does not read. */
function paused(port: number, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.pause()
      socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`, () => resolve(socket))
    })
    socket.on('error', reject)
  })
}
