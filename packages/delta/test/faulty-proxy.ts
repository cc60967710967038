import { once } from 'node:events'
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultPlan } from './fault-plan.ts'

/** What goes wrong between a client and its server. */
export type NetworkFault =
  /** The server never sees the request; the client gets an error, or a connection that closes. */
  | '500'
  | '503'
  | 'drop before'
  /** The server carries the request out; the client gets an error, a connection that closes, or half an answer. */
  | '500 after'
  | 'drop after'
  | 'cut'
  /** The server carries the request out, and no answer ever comes. */
  | 'silence'
  /** The connection closes, and the server gets the request some time after that. */
  | 'late'
  | 'delay'
  /** The server gets the request twice, and the client the second answer. */
  | 'duplicate'

export const NETWORK_FAULTS: readonly NetworkFault[] = [
  '500',
  '503',
  'drop before',
  '500 after',
  'drop after',
  'cut',
  'silence',
  'late',
  'delay',
  'duplicate',
]

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

const DELAY_MS_MAX = 20

/** An HTTP proxy before one server, that fails requests as planned. */
export class FaultyProxy {
  /** How often each fault has hit a request of a method, as `PUT drop after`. */
  readonly hits = new Map<string, number>()
  readonly #target: URL
  readonly #plan: FaultPlan<NetworkFault>
  readonly #agent = new Agent({ keepAlive: true })
  readonly #server: Server
  #requestCount = 0

  private constructor(target: string, plan: FaultPlan<NetworkFault>) {
    this.#target = new URL(target)
    this.#plan = plan
    this.#server = createServer((incoming, outgoing) => {
      this.#handle(incoming, outgoing).catch(() => incoming.socket.destroy())
    })
  }

  static async start(target: string, plan: FaultPlan<NetworkFault>): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target, plan)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#agent.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming)
    const method = incoming.method ?? ''
    const fault = this.#plan(method, this.#requestCount++)
    if (fault !== null) this.hits.set(`${method} ${fault}`, (this.hits.get(`${method} ${fault}`) ?? 0) + 1)
    if (fault === 'drop before') return void incoming.socket.destroy()
    if (fault === '500' || fault === '503') return fail(outgoing, Number(fault))
    if (fault === 'late') incoming.socket.destroy()
    if (fault === 'delay' || fault === 'late') await sleep(Math.random() * DELAY_MS_MAX)
    if (fault === 'duplicate') await this.#forward(incoming, body)
    const answer = await this.#forward(incoming, body)
    if (fault === 'silence' || fault === 'late') return
    if (fault === 'drop after') return void incoming.socket.destroy()
    if (fault === '500 after') return fail(outgoing, 500)
    outgoing.writeHead(answer.status, answer.headers)
    if (fault !== 'cut') return void outgoing.end(answer.body)
    outgoing.write(answer.body.subarray(0, answer.body.length / 2))
    outgoing.flushHeaders()
    await sleep(1)
    incoming.socket.destroy()
  }

  /** With the headers as they came, `Host` too: requests are signed over them. */
  async #forward(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    const forwarded = request({
      agent: this.#agent,
      host: this.#target.hostname,
      port: this.#target.port,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    })
    forwarded.end(body)
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage]
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      body: await buffer(answer),
    }
  }
}

function fail(outgoing: ServerResponse, status: number): void {
  const code = status === 503 ? 'SlowDown' : 'InternalError'
  outgoing.writeHead(status, { 'content-type': 'application/xml' })
  outgoing.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>Injected</Message></Error>`)
}
