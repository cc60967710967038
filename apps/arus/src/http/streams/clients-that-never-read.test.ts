import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, expect, test } from 'vitest'
import { ShopLive } from '../../recommend/test-shop.ts'
import { NOW_MS, openShop } from '../test-api.ts'
import { Paced } from './paced.ts'

const CLIENTS = 150
/** Figures as large as a busy shop's many times over, so that what the kernel takes in is soon full. */
const BODY_BYTES = 300_000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let close: (() => unknown)[] = []
afterEach(async () => {
  for (const work of close.splice(0)) await work()
})

class LargeLive extends ShopLive {
  override analytics() {
    return { ...super.analytics(), actions: { ['x'.repeat(BODY_BYTES)]: 1 } }
  }
}

/** Asks for live figures and reads nothing, ever. */
async function neverReading(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  await new Promise<void>((resolve) =>
    socket.write('GET /stream/analytics HTTP/1.1\r\nhost: localhost\r\n\r\n', () => resolve()),
  )
  return socket
}

test('hundreds of them cost no memory, hold up nobody, and are dropped in time', async () => {
  let clockMs = NOW_MS
  const live = new LargeLive(() => clockMs++)
  const { app } = await openShop({ live: () => live, stallTimeoutMs: 4_000 })
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  const sockets = await Promise.all(Array.from({ length: CLIENTS }, () => neverReading(port)))
  close = [...sockets.map((socket) => () => socket.destroy()), () => app.close()]
  const open = async () => {
    const { body } = await app.inject('/metrics')
    return Number(/arus_sse_connections\{stream="analytics"\} (\d+)/.exec(body)?.[1])
  }
  await expect.poll(open, { timeout: 20_000 }).toBe(CLIENTS)
  const pump = setInterval(() => live.act('ann', 'p1'), 20)
  close.unshift(() => clearInterval(pump))

  const reader = await fetch(`http://127.0.0.1:${port}/stream/analytics`)
  const chunks = (reader.body as ReadableStream<Uint8Array>).getReader()
  close.unshift(() => chunks.cancel())
  const before = memoryBytes()
  let bytes = 0
  let slowestMs = 0
  let mostBytes = 0
  while ((await open()) > 1) {
    const startedMs = performance.now()
    bytes += (await chunks.read()).value?.length ?? 0
    slowestMs = Math.max(slowestMs, performance.now() - startedMs)
    mostBytes = Math.max(mostBytes, memoryBytes() - before)
  }
  // The reader had several whole messages meanwhile, each soon.
  expect(bytes).toBeGreaterThan(4 * BODY_BYTES)
  expect(slowestMs).toBeLessThan(3_000)
  // One copy for each client of what was sent meanwhile would be hundreds of MB.
  expect(mostBytes).toBeLessThan(100_000_000)
})

test('paced work is done once however often it was asked for, and not after it was taken back', async () => {
  const paced = new Paced()
  const done: number[] = []
  const works = Array.from({ length: 250 }, (_, i) => () => void done.push(i))
  for (const work of [...works, ...works]) paced.add(work)
  paced.remove(works[7]!)
  expect(done).toEqual([])
  await expect.poll(() => done.length).toBe(249)
  expect(done).not.toContain(7)
})

/** What is held, without what waits for the garbage collector. */
function memoryBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
