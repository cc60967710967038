import type { Settings } from '../config/settings.ts'
import { ArusError, ERROR_CODES, type ErrorCode } from '../errors.ts'
import { httpSink, type Sink } from '../events/send.ts'
import { keyHeader } from '../keys/key-header.ts'
import type { CliContext } from './context.ts'

/** An answer of the API: any status; the body parsed when it is JSON, else text. */
export interface ApiAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: unknown
  readonly tookMs: number
}

/** One message of a server-sent event stream. */
export interface StreamMessage {
  readonly id: string
  readonly event: string
  readonly data: string
}

export interface RequestOptions {
  readonly content?: { readonly body: string; readonly contentType: string }
  /** Default 30,000. */
  readonly timeoutMs?: number
}

const REQUEST_TIMEOUT_MS = 30_000
/** Node gives up what has no answer after 300,000. */
const ERASE_TIMEOUT_MS = 280_000

/** Address of the server that runs with these settings. */
export function apiUrl(settings: Settings): string {
  const host = settings.host === '0.0.0.0' || settings.host === '::' ? '127.0.0.1' : settings.host
  return `http://${host.includes(':') ? `[${host}]` : host}:${settings.apiPort}`
}

/** The running server, for a command: presents the key of the settings. */
export function openApi({ parts, signal }: CliContext): ApiClient {
  return new ApiClient(apiUrl(parts.settings), signal, parts.settings.apiKey)
}

/** The running server as a sink of events, for a command. */
export function openSink({ parts, signal }: CliContext): Sink {
  return httpSink({ apiUrl: apiUrl(parts.settings), signal, key: parts.settings.apiKey })
}

/** Speaks to a running Arus. Throws `SERVER_UNREACHABLE` when nothing answers; a problem document is an answer. */
export class ApiClient {
  readonly baseUrl: string
  readonly #signal: AbortSignal
  readonly #key: string | null

  /** `key` is presented with every request. */
  constructor(baseUrl: string, signal: AbortSignal, key: string | null = null) {
    this.baseUrl = baseUrl
    this.#signal = signal
    this.#key = key
  }

  get(path: string): Promise<ApiAnswer> {
    return this.send('GET', path)
  }

  /** The body of a 200; throws what the problem document says otherwise. */
  async json<T>(path: string): Promise<T> {
    const answer = await this.get(path)
    if (answer.status === 200) return answer.body as T
    throw new ArusError(
      codeOf(answer.body),
      `GET ${path} answered ${answer.status}: ${detailOf(answer.body)}`,
    )
  }

  postJson(path: string, body: unknown): Promise<ApiAnswer> {
    return this.send('POST', path, {
      content: { body: JSON.stringify(body), contentType: 'application/json' },
    })
  }

  /** Erases a shopper; answers when it is done: within a second or so, on Spark after a minute and more. */
  forget(shopper: string): Promise<ApiAnswer> {
    return this.send('DELETE', `/users/${encodeURIComponent(shopper)}`, { timeoutMs: ERASE_TIMEOUT_MS })
  }

  async send(
    method: string,
    path: string,
    { content, timeoutMs = REQUEST_TIMEOUT_MS }: RequestOptions = {},
  ): Promise<ApiAnswer> {
    const startedAt = performance.now()
    const response = await this.#fetch(path, {
      method,
      ...(content === undefined
        ? {}
        : { body: content.body, headers: { 'content-type': content.contentType } }),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)]),
    })
    const contentType = response.headers.get('content-type') ?? ''
    const text = await response.text()
    const body: unknown = contentType.includes('json') ? JSON.parse(text) : text
    return { status: response.status, contentType, body, tookMs: performance.now() - startedAt }
  }

  /** Messages of an SSE endpoint until the signal aborts. */
  async *stream(path: string, signal: AbortSignal): AsyncGenerator<StreamMessage> {
    const response = await this.#fetch(path, {
      headers: { accept: 'text/event-stream' },
      signal: AbortSignal.any([this.#signal, signal]),
    })
    if (!response.ok || response.body === null) {
      throw new ArusError('REQUEST_INVALID', `GET ${path} answered ${response.status} instead of a stream`)
    }
    let buffer = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body) {
      buffer += decoder.decode(chunk, { stream: true })
      const blocks = buffer.split('\n\n')
      buffer = blocks.pop() ?? ''
      for (const block of blocks) {
        const message = parseMessage(block)
        if (message !== null) yield message
      }
    }
  }

  async #fetch(
    path: string,
    init: RequestInit & { readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Response> {
    try {
      const headers = { ...init.headers, ...keyHeader(this.#key) }
      return await fetch(this.baseUrl + path, { ...init, headers })
    } catch (error) {
      this.#signal.throwIfAborted()
      if (error instanceof DOMException && error.name === 'TimeoutError')
        throw new ArusError(
          'SERVER_UNREACHABLE',
          `Arus at ${this.baseUrl} took too long to answer ${path}.`,
          {
            cause: error,
          },
        )
      throw new ArusError(
        'SERVER_UNREACHABLE',
        `No Arus answers at ${this.baseUrl}. Start it with "npm start", or set ARUS_HOST and ARUS_API_PORT to where it runs.`,
        { cause: error },
      )
    }
  }
}

/** The code of a problem document where it is one of ours, so that a command exits as it would have without a server. */
export function codeOf(body: unknown): ErrorCode {
  const code = typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : ''
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'REQUEST_INVALID'
}

/** What a problem document says, or the start of any other body. */
export function detailOf(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'detail' in body) return String(body.detail)
  return String(typeof body === 'string' ? body : JSON.stringify(body)).slice(0, 200)
}

/** Null for comments (heartbeats) and `retry` lines alone. */
function parseMessage(block: string): StreamMessage | null {
  const fields = { id: '', event: 'message', data: [] as string[] }
  for (const line of block.split('\n')) {
    const [, name, value] = /^(id|event|data): ?(.*)$/.exec(line) ?? []
    if (name === 'data') fields.data.push(value ?? '')
    else if (name === 'id') fields.id = value ?? ''
    else if (name === 'event') fields.event = value ?? ''
  }
  return fields.data.length === 0
    ? null
    : { id: fields.id, event: fields.event, data: fields.data.join('\n') }
}
