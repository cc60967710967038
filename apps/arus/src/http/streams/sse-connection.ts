import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** One message of an event stream. */
export interface SseMessage {
  readonly id: string
  readonly event: string
  /** One line; JSON never holds a bare line break. */
  readonly data: string
}

export interface SseOptions {
  /** Silence after which a comment is sent, so that proxies and clients know the stream lives. */
  readonly heartbeatMs: number
  /** A client that takes nothing for this long is dropped. */
  readonly stallTimeoutMs: number
}

const BYTES = new WeakMap<SseMessage, Buffer>()

/** A message as it is sent: made once, however many streams it goes to and however long they take to read it. */
function bytesOf(message: SseMessage): Buffer {
  const known = BYTES.get(message)
  if (known !== undefined) return known
  const { id, event, data } = message
  const bytes = Buffer.from(`id: ${id}\nevent: ${event}\ndata: ${data}\n\n`)
  BYTES.set(message, bytes)
  return bytes
}

/** How soon a client that lost the stream should come back, milliseconds. */
const RETRY_MS = 2_000

/**
 * A stream of server-sent events to one client (WHATWG HTML §9.2). Bounded: while the client has not taken what was
 * sent, `isBehind` is true and nothing more should be sent; `onReady` tells when it may.
 */
export class SseConnection {
  readonly #response: ServerResponse
  readonly #options: SseOptions
  readonly #closed = Promise.withResolvers<void>()
  #heartbeat: NodeJS.Timeout | null = null
  #stall: NodeJS.Timeout | null = null
  #onReady: () => void = () => {}

  constructor(reply: FastifyReply, options: SseOptions) {
    reply.hijack()
    this.#response = reply.raw
    this.#options = options
    this.#response.writeHead(200, {
      ...reply.getHeaders(),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    } as Record<string, string>)
    this.#response.on('close', () => this.#finish())
    this.#response.on('error', () => this.#finish())
    this.#response.on('drain', () => this.#drained())
    this.#write(`retry: ${RETRY_MS}\n\n`)
  }

  /** Resolves when the client left or was dropped, or `end` was called. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed
  }

  /** The client has not taken everything yet. */
  get isBehind(): boolean {
    return this.#response.writableNeedDrain
  }

  /** Called each time the client has caught up. */
  onReady(listener: () => void): void {
    this.#onReady = listener
  }

  send(message: SseMessage): void {
    this.#write(bytesOf(message))
  }

  end(): void {
    if (this.isOpen) this.#response.end()
    this.#finish()
  }

  #write(text: string | Buffer): void {
    if (!this.isOpen) return
    if (!this.#response.write(text)) this.#watchStall()
    this.#scheduleHeartbeat()
  }

  #scheduleHeartbeat(): void {
    if (this.#heartbeat !== null) clearTimeout(this.#heartbeat)
    this.#heartbeat = setTimeout(() => this.#beat(), this.#options.heartbeatMs)
    this.#heartbeat.unref()
  }

  #beat(): void {
    if (this.isBehind) this.#scheduleHeartbeat()
    else this.#write(': still here\n\n')
  }

  #watchStall(): void {
    this.#stall ??= setTimeout(() => this.#response.destroy(), this.#options.stallTimeoutMs)
  }

  #drained(): void {
    if (this.#stall !== null) clearTimeout(this.#stall)
    this.#stall = null
    this.#onReady()
  }

  #finish(): void {
    if (this.#heartbeat !== null) clearTimeout(this.#heartbeat)
    if (this.#stall !== null) clearTimeout(this.#stall)
    this.#heartbeat = null
    this.#stall = null
    this.#closed.resolve()
  }
}
