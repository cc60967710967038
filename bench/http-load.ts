import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A measured run of requests over keep-alive connections. */
export interface LoadResult {
  readonly requestsPerSecond: number
  readonly latencyMsP50: number
  readonly latencyMsP99: number
  readonly requestCount: number
  /** Answers that were not 2xx. */
  readonly failureCount: number
}

export interface LoadOptions {
  readonly baseUrl: string
  readonly connectionCount: number
  readonly seconds: number
  /** The next request, whole: head and body. Cheap, for it is part of what is measured. */
  readonly nextRequest: () => Buffer
}

const SAMPLE_LIMIT = 4_000_000
const HEAD_END = Buffer.from('\r\n\r\n')

/** Sends requests, one at a time per connection, and measures each from write to last byte. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { hostname, port } = new URL(options.baseUrl)
  const run: Run = {
    latenciesMs: new Float64Array(SAMPLE_LIMIT),
    requestCount: 0,
    failureCount: 0,
    endMs: performance.now() + options.seconds * 1000,
    nextRequest: options.nextRequest,
  }
  const startedMs = performance.now()
  const connections = Array.from({ length: options.connectionCount }, async () => {
    const socket = connect(Number(port), hostname).setNoDelay(true)
    await once(socket, 'connect')
    await drive(socket, run)
  })
  await Promise.all(connections)
  const seconds = (performance.now() - startedMs) / 1000
  const sorted = run.latenciesMs.subarray(0, Math.min(run.requestCount, SAMPLE_LIMIT)).sort()
  return {
    requestsPerSecond: run.requestCount / seconds,
    latencyMsP50: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
    latencyMsP99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    requestCount: run.requestCount,
    failureCount: run.failureCount,
  }
}

/** A request as bytes. */
export function requestOf(method: string, path: string, body?: string): Buffer {
  const content =
    body === undefined
      ? ''
      : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: bench\r\n${content}\r\n${body ?? ''}`)
}

interface Run {
  readonly latenciesMs: Float64Array
  requestCount: number
  failureCount: number
  readonly endMs: number
  readonly nextRequest: () => Buffer
}

function drive(socket: Socket, run: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentMs = 0
    let expectedBytes = 0
    let receivedBytes = 0
    const send = () => {
      expectedBytes = 0
      receivedBytes = 0
      sentMs = performance.now()
      socket.write(run.nextRequest())
    }
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('The server closed a connection during the benchmark')))
    socket.on('data', (chunk: Buffer) => {
      if (expectedBytes === 0) {
        expectedBytes = answerBytes(chunk)
        if (chunk[9] !== 0x32) run.failureCount += 1
      }
      receivedBytes += chunk.length
      if (receivedBytes < expectedBytes) return
      const nowMs = performance.now()
      run.latenciesMs[run.requestCount % SAMPLE_LIMIT] = nowMs - sentMs
      run.requestCount += 1
      if (nowMs < run.endMs) {
        send()
        return
      }
      socket.removeAllListeners('close')
      socket.destroy()
      resolve()
    })
    send()
  })
}

/** Length of head and body; the head must be in the first chunk, which it is on loopback. */
function answerBytes(chunk: Buffer): number {
  const headEnd = chunk.indexOf(HEAD_END)
  const head = chunk.toString('latin1', 0, headEnd)
  const length = /content-length: (\d+)/i.exec(head)?.[1]
  if (headEnd < 0 || length === undefined)
    throw new Error(`No content-length in the answer: ${head.slice(0, 200)}`)
  return headEnd + HEAD_END.length + Number(length)
}
