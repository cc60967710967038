import type { TrinoSettings } from '../../config/trino-settings.ts'
import { ArusError } from '../../errors.ts'

/** A type as Trino describes it: `decimal(10, 2)` is `decimal` with the arguments 10 and 2. */
export interface TrinoType {
  readonly rawType: string
  readonly arguments: readonly TrinoTypeArgument[]
}

export type TrinoTypeArgument =
  | { readonly kind: 'TYPE'; readonly value: TrinoType }
  | { readonly kind: 'LONG'; readonly value: number }
  | {
      readonly kind: 'NAMED_TYPE'
      readonly value: {
        readonly fieldName?: { readonly name: string }
        readonly typeSignature: TrinoType
      }
    }

export interface TrinoColumn {
  readonly name: string
  readonly type: string
  readonly typeSignature: TrinoType
}

/** Some rows, or none yet. Whole numbers beyond 2^53 are texts of their digits, exact. */
export interface TrinoPage {
  /** Null until they are known. */
  readonly columns: readonly TrinoColumn[] | null
  readonly rows: readonly (readonly unknown[])[]
  /** Of the work that is known so far; 0 to 1. */
  readonly progress: number
}

export interface TrinoQueryOptions {
  /** The server ends the query after this. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

interface TrinoAnswer {
  readonly nextUri?: string
  readonly columns?: readonly TrinoColumn[]
  readonly data?: readonly (readonly unknown[])[]
  readonly stats?: { readonly completedSplits?: number; readonly totalSplits?: number }
  readonly error?: TrinoFailure
}

export interface TrinoFailure {
  readonly message: string
  readonly errorName: string
  readonly errorType: string
}

/** A statement that Trino refused or could not finish. */
export class TrinoError extends Error {
  readonly failure: TrinoFailure

  constructor(failure: TrinoFailure) {
    super(failure.message)
    this.name = 'TrinoError'
    this.failure = failure
  }
}

const REQUEST_MS_MAX = 30_000
const RETRY_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504])
const TRIES = 5
const RETRY_MS = 100

/**
 * Statements over HTTP, by Trino's client protocol (trino.io/docs/current/develop/client-protocol.html). There is a client on npm; it
 * gives no signal to stop by, and reads whole numbers as floating-point ones.
 */
export class TrinoClient {
  readonly #settings: TrinoSettings

  constructor(settings: TrinoSettings) {
    this.#settings = settings
  }

  /** Pages as they come. Whoever leaves before the end, or aborts, ends the query on the server. Throws `TrinoError`,
   * `ENGINE_UNREACHABLE`, `ENGINE_UNUSABLE`. */
  async *pages(sql: string, { timeoutMs, signal }: TrinoQueryOptions): AsyncGenerator<TrinoPage> {
    const abort = signal ?? new AbortController().signal
    let answer = await this.#ask('POST', `${this.#settings.url}/v1/statement`, abort, {
      body: sql,
      session: `query_max_execution_time=${encodeURIComponent(`${Math.max(1, Math.ceil(timeoutMs))}ms`)}`,
    })
    let columns: readonly TrinoColumn[] | null = null
    try {
      for (;;) {
        if (answer.error !== undefined) throw new TrinoError(answer.error)
        columns ??= answer.columns ?? null
        const { completedSplits = 0, totalSplits = 0 } = answer.stats ?? {}
        const progress = totalSplits === 0 ? 0 : completedSplits / totalSplits
        yield { columns, rows: answer.data ?? [], progress }
        if (answer.nextUri === undefined) return
        answer = await this.#ask('GET', answer.nextUri, abort)
      }
    } finally {
      if (answer.nextUri !== undefined) await this.#cancel(answer.nextUri)
    }
  }

  /** All rows of a small answer. */
  async rows(sql: string, options: TrinoQueryOptions): Promise<(readonly unknown[])[]> {
    const all: (readonly unknown[])[] = []
    for await (const { rows } of this.pages(sql, options)) all.push(...rows)
    return all
  }

  async #cancel(uri: string): Promise<void> {
    await fetch(uri, {
      method: 'DELETE',
      headers: this.#headers(),
      signal: AbortSignal.timeout(5_000),
    }).catch(() => {
      // It ends by its own deadline then.
    })
  }

  async #ask(
    method: 'POST' | 'GET',
    uri: string,
    signal: AbortSignal,
    { body, session }: { readonly body?: string; readonly session?: string } = {},
  ): Promise<TrinoAnswer> {
    const headers = { ...this.#headers(), ...(session === undefined ? {} : { 'x-trino-session': session }) }
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted()
      const timed = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS_MAX)])
      const response = await fetch(uri, {
        method,
        headers,
        signal: timed,
        ...(body === undefined ? {} : { body }),
      }).catch((error: unknown) => {
        signal.throwIfAborted()
        throw this.#away(error instanceof Error && error.cause instanceof Error ? error.cause : error)
      })
      const text = await response.text()
      if (response.ok) return JSON.parse(text, exactNumber) as TrinoAnswer
      // The protocol asks for another try; a statement that was posted has not begun.
      if (attempt >= TRIES || !RETRY_STATUS.has(response.status)) throw this.#refused(response.status, text)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt))
    }
  }

  #headers(): Record<string, string> {
    const { user, password, catalog } = this.#settings
    return {
      'x-trino-user': user,
      'x-trino-source': 'arus',
      'x-trino-catalog': catalog,
      'x-trino-time-zone': 'UTC',
      // Without it moments come with three digits of their second at most.
      'x-trino-client-capabilities': 'PARAMETRIC_DATETIME',
      'content-type': 'text/plain; charset=utf-8',
      ...(password === null
        ? {}
        : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }),
    }
  }

  #away(error: unknown): ArusError {
    const reason = error instanceof Error ? error.message : String(error)
    return new ArusError(
      'ENGINE_UNREACHABLE',
      `Trino at ${this.#settings.url} does not answer (${reason}); check TRINO_URL, and whether it runs`,
      { cause: error },
    )
  }

  #refused(status: number, text: string): ArusError {
    const { url } = this.#settings
    const advice =
      status === 401 || status === 403
        ? 'check TRINO_USER and TRINO_PASSWORD'
        : 'is this the address of a Trino?'
    return new ArusError(
      status >= 500 ? 'ENGINE_UNREACHABLE' : 'ENGINE_UNUSABLE',
      `Trino at ${url} answered ${status}; ${advice}${text === '' ? '' : ` (${text.slice(0, 200)})`}`,
    )
  }
}

/** Keeps the digits of whole numbers that JavaScript's numbers cannot hold. */
function exactNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const { source = '' } = context ?? {}
  return /^-?\d+$/.test(source) ? source : value
}
