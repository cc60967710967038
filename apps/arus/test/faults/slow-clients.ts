import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SystemMetrics } from '../../src/api-schema/index.ts'
import { freePort, RunningArus } from '../end-to-end/running-arus.ts'

export interface SlowClientsReport {
  readonly clientCount: number
  /** Streams the server had open, of clients that never read. */
  readonly openCount: number
  readonly moreMemoryBytes: number
  readonly latencyMsP99: { readonly before: number; readonly during: number }
  /** Streams left some minutes later, when only full runs wait for it. */
  readonly leftCount: number | null
}

const CONNECT_AT_ONCE = 100
const CONNECT_MS = 60_000
const MEASURE_MS = 8_000
/** Filling what the kernel takes in, then the time-out. */
const DROP_MS = 5 * 60_000

/**
 * A generated shop with shoppers at work; then clients that ask for live figures and never read. Measured before and
 * while they are there: memory of the server, and how long others wait for recommendations.
 */
export async function slowClients(clientCount: number, waitsForDrop: boolean): Promise<SlowClientsReport> {
  const dataDir = mkdtempSync(join(tmpdir(), 'arus-slow-clients-'))
  const place = { dataDir, apiPort: await freePort(), dashboardPort: await freePort() }
  const server = await RunningArus.start(
    place,
    ['--no-dashboard', '--size', '2000', '--shoppers', '50'],
    300_000,
  )
  const sockets: Socket[] = []
  try {
    await latencyMsP99(server.apiUrl)
    const before = await latencyMsP99(server.apiUrl)
    const memoryBefore = await memoryBytes(server.apiUrl)
    for (let at = 0; at < clientCount; at += CONNECT_AT_ONCE) {
      const count = Math.min(CONNECT_AT_ONCE, clientCount - at)
      sockets.push(...(await Promise.all(Array.from({ length: count }, () => neverReading(place.apiPort)))))
    }
    const openCount = await openWithin(server.apiUrl, clientCount, CONNECT_MS)
    const during = await latencyMsP99(server.apiUrl)
    const moreMemoryBytes = (await memoryBytes(server.apiUrl)) - memoryBefore
    const leftCount = waitsForDrop ? await leftAfter(server.apiUrl, DROP_MS) : null
    return { clientCount, openCount, moreMemoryBytes, latencyMsP99: { before, during }, leftCount }
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.interrupt()
    rmSync(dataDir, { recursive: true })
  }
}

async function neverReading(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  await once(socket, 'connect')
  await new Promise<void>((resolve) =>
    socket.write('GET /stream/analytics HTTP/1.1\r\nhost: localhost\r\n\r\n', () => resolve()),
  )
  return socket
}

/** Of recommendation requests, four at a time. */
async function latencyMsP99(apiUrl: string): Promise<number> {
  const latencies: number[] = []
  const endMs = performance.now() + MEASURE_MS
  const ask = async (user: number): Promise<void> => {
    for (let i = user; performance.now() < endMs; i += 4) {
      const startedMs = performance.now()
      const response = await fetch(`${apiUrl}/recommendations/user/${i % 500}?limit=5`)
      await response.arrayBuffer()
      latencies.push(performance.now() - startedMs)
    }
  }
  await Promise.all([1, 2, 3, 4].map(ask))
  latencies.sort((a, b) => a - b)
  return latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN
}

async function memoryBytes(apiUrl: string): Promise<number> {
  const metrics = (await (await fetch(`${apiUrl}/system/metrics`)).json()) as SystemMetrics
  return metrics.process.memory_bytes
}

async function openStreams(apiUrl: string): Promise<number> {
  const text = await (await fetch(`${apiUrl}/metrics`)).text()
  return Number(/arus_sse_connections\{stream="analytics"\} (\d+)/.exec(text)?.[1] ?? 0)
}

/** So many, or as many as there are in the end. */
async function openWithin(apiUrl: string, count: number, withinMs: number): Promise<number> {
  const endMs = performance.now() + withinMs
  let open = await openStreams(apiUrl)
  while (open < count && performance.now() < endMs) {
    await sleep(500)
    open = await openStreams(apiUrl)
  }
  return open
}

async function leftAfter(apiUrl: string, withinMs: number): Promise<number> {
  const endMs = performance.now() + withinMs
  let left = await openStreams(apiUrl)
  while (left > 0 && performance.now() < endMs) {
    await sleep(2_000)
    left = await openStreams(apiUrl)
  }
  return left
}
