import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Redis, ReplyError } from 'ioredis'
import { ArusError } from '../errors.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** For the connection and what is said first. */
const OPEN_TIMEOUT_MS = 6_000
/** A command that takes longer is on a server that hangs. */
const COMMAND_TIMEOUT_MS = 15_000
const RECONNECT_MAX_MS = 1_000

/** First words of errors, which the protocol makes their codes, of a server that will not have us; what to look at. */
const REFUSALS: Readonly<Record<string, string>> = {
  NOAUTH: 'put the password into REDIS_URL (redis://:password@host:port)',
  WRONGPASS: 'look at user and password in REDIS_URL',
  NOPERM: 'give the user the command that the message names (ACL SETUSER)',
}

/** First words of errors of a server that cannot now, or not yet. */
const LATER = new Set([
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'BUSY',
  'MISCONF',
  'OOM',
])

/**
 * One connection to Valkey or Redis. What cannot be sent now fails at once, and what was sent when the connection broke is
 * never sent again: whoever asked knows what may be asked twice. It connects again by itself.
 */
export class ValkeyConnection {
  readonly #client: Redis
  readonly #place: string
  #lastFault: unknown = null

  private constructor(url: string) {
    this.#place = new URL(url).host
    this.#client = new Redis(url, {
      protocol: 2,
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      keepAlive: 10_000,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // By `subscribe` itself, which does something about one that fails.
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(RECONNECT_MAX_MS, 50 * attempt),
      // After a failover the address stands for another server.
      reconnectOnError: (error) => codeOf(error) === 'READONLY',
    })
    this.#client.on('error', (error) => {
      this.#lastFault = error
    })
  }

  /** Throws `ENGINE_UNREACHABLE`, `ENGINE_UNUSABLE`. */
  static async open(url: string): Promise<ValkeyConnection> {
    const connection = new ValkeyConnection(url)
    try {
      await Promise.race([connection.#client.connect(), tooLate(OPEN_TIMEOUT_MS)])
      // The client goes on in database 0 where there is no such one.
      const { pathname } = new URL(url)
      await connection.#client.select(pathname.slice(1) || '0')
    } catch (error) {
      connection.close()
      throw connection.#explained(error, 'look at REDIS_URL')
    }
    return connection
  }

  get isReady(): boolean {
    return this.#client.status === 'ready'
  }

  /** Called each time the connection was lost and made again: by then the server may be another. */
  onReconnect(listener: () => void): void {
    this.#client.on('ready', listener)
  }

  /**
   * From now on the connection hears what is said on the channel, and can send nothing but `PING`. `onAgain` is called
   * when it hears it again after the connection was lost.
   */
  async subscribe(
    channel: string,
    { onMessage, onAgain }: { readonly onMessage: (message: Buffer) => void; readonly onAgain: () => void },
  ): Promise<void> {
    this.#client.on('messageBuffer', (_, message: Buffer) => onMessage(message))
    try {
      await this.#client.subscribe(channel)
    } catch (error) {
      throw this.#explained(error)
    }
    this.#client.on('ready', () => void this.#client.subscribe(channel).then(onAgain, () => this.reconnect()))
  }

  /** Gives the connection up and makes it anew. */
  reconnect(): void {
    this.#client.disconnect(true)
  }

  /** The reply, strings as text. Throws `ENGINE_UNREACHABLE`, `ENGINE_UNUSABLE`, and what else the server says as it is. */
  send(name: string, args: readonly (string | Buffer)[] = []): Promise<unknown> {
    return this.#send(name, args, 'utf8')
  }

  /** The reply, strings as bytes. */
  sendForBytes(name: string, args: readonly (string | Buffer)[]): Promise<unknown> {
    return this.#send(name, args, null)
  }

  async #send(
    name: string,
    args: readonly (string | Buffer)[],
    replyEncoding: 'utf8' | null,
  ): Promise<unknown> {
    try {
      return await this.#client.sendCommand(new Command(name, [...args], { replyEncoding }))
    } catch (error) {
      throw this.#explained(error)
    }
  }

  close(): void {
    this.#client.disconnect()
  }

  /** With `advice`, whatever the server says is taken for a refusal. */
  #explained(error: unknown, advice?: string): unknown {
    if (error instanceof ArusError) return error
    const code = codeOf(error)
    // That a queue was flushed says less than what the connection died of.
    const cause = code === null && this.#lastFault !== null ? this.#lastFault : error
    const message = messageOf(cause)
    const spoken = codeOf(cause)
    const refusal = REFUSALS[spoken ?? ''] ?? (spoken === null || LATER.has(spoken) ? undefined : advice)
    if (refusal !== undefined)
      return new ArusError('ENGINE_UNUSABLE', `Valkey at ${this.#place}: ${message}; ${refusal}`, { cause })
    if (code !== null && !LATER.has(code)) return error
    return new ArusError(
      'ENGINE_UNREACHABLE',
      `Valkey at ${this.#place} does not answer: ${message}. Is it running, and REDIS_URL right?`,
      { cause },
    )
  }
}

async function tooLate(timeoutMs: number): Promise<never> {
  await sleep(timeoutMs, undefined, { ref: false })
  throw new ArusError('ENGINE_UNREACHABLE', `REDIS_URL: nothing was said within ${timeoutMs / 1000} s`)
}

/** The code of what the server said; null for what happened to the connection. */
export function codeOf(error: unknown): string | null {
  return error instanceof ReplyError ? ((error as Error).message.split(' ', 1)[0] ?? '') : null
}

/** Node joins the failures of a name's several addresses in an error without a message. */
function messageOf(error: unknown): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error
  return first instanceof Error ? first.message : String(first)
}
