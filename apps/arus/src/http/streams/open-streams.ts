import type { FastifyReply } from 'fastify'
import { ArusError } from '../../errors.ts'
import type { ApiMetrics } from '../metrics.ts'
import { SseConnection } from './sse-connection.ts'

/** Streams open at once; some 10 kB each while their clients read. */
const STREAM_LIMIT = 12_000

export interface StreamTimes {
  /** Silence after which a comment is sent. */
  readonly heartbeatMs: number
  /** A client that takes nothing for so long is dropped. */
  readonly stallTimeoutMs: number
}

/** Every open stream of the server, so that their number is bounded and closing the server ends them. */
export class OpenStreams {
  readonly #connections = new Set<SseConnection>()
  readonly #metrics: ApiMetrics
  readonly #times: StreamTimes

  constructor(metrics: ApiMetrics, times: StreamTimes) {
    this.#metrics = metrics
    this.#times = times
  }

  /** Turns the reply into a stream; throws `NOT_READY` when too many are open. */
  open(reply: FastifyReply, stream: string): SseConnection {
    if (this.#connections.size >= STREAM_LIMIT) {
      throw new ArusError('NOT_READY', `${STREAM_LIMIT} streams are open, which is all this server takes.`)
    }
    const connection = new SseConnection(reply, this.#times)
    this.#connections.add(connection)
    this.#metrics.countStream(1, stream)
    void connection.closed.then(() => {
      this.#connections.delete(connection)
      this.#metrics.countStream(-1, stream)
    })
    return connection
  }

  endAll(): void {
    for (const connection of this.#connections) connection.end()
  }
}
