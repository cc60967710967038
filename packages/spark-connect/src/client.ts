import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { type CallOptions, type Client, createClient, type Interceptor } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import type { ConnectionString } from './connection-string.ts'
import { SparkError } from './errors.ts'
import {
  type AnalyzePlanRequestSchema,
  type AnalyzePlanResponse,
  SparkConnectService,
} from './protocol/spark/connect/base_pb.ts'
import { backoffMs, type RetryPolicy } from './retry-policy.ts'
import { errorIdOf, isTransient, serverDelayMs, toSparkError } from './server-error.ts'

/** What a client needs besides the connection string. */
export interface ClientOptions {
  readonly userId: string
  readonly clientType: string
  readonly sessionId: string
  readonly retry: RetryPolicy
  readonly connectTimeoutMs: number
  /** Of TLS; what `tls.connect` takes. */
  readonly tls: {
    readonly ca?: string | Buffer
    readonly cert?: string | Buffer
    readonly key?: string | Buffer
  }
}

type Analysis = MessageInitShape<typeof AnalyzePlanRequestSchema>['analyze']
type AnalysisResult<K> = Extract<AnalyzePlanResponse['result'], { case: K }>['value']

/** What every request of a session carries. */
export interface RequestContext {
  readonly sessionId: string
  readonly userContext: { readonly userId: string; readonly userName: string }
  readonly clientType: string
  readonly clientObservedServerSideSessionId?: string
}

/**
 * Servers of gRPC end connections that ping more often than every five minutes. A ping that is not answered is how a
 * connection is found dead that a firewall forgot.
 */
const PING_INTERVAL_MS = 310_000
const PING_TIMEOUT_MS = 20_000

/** One HTTP/2 connection to a server, opened when needed and again after it broke, and what all calls share. */
export class SparkConnectClient {
  readonly stub: Client<typeof SparkConnectService>
  readonly sessionId: string
  readonly retry: RetryPolicy
  readonly #connections: Http2SessionManager
  readonly #options: ClientOptions
  /** Host and port, for messages. */
  readonly address: string
  #serverSideSessionId: string | undefined
  #isClosed = false

  constructor(to: ConnectionString, options: ClientOptions) {
    this.address = `${to.host}:${to.port}`
    const baseUrl = `${to.useSsl ? 'https' : 'http'}://${this.address}`
    this.#options = options
    this.sessionId = options.sessionId
    this.retry = options.retry
    const limits = {
      pingIntervalMs: PING_INTERVAL_MS,
      pingTimeoutMs: PING_TIMEOUT_MS,
      connectTimeoutMs: options.connectTimeoutMs,
    }
    this.#connections = new Http2SessionManager(baseUrl, limits, { ...options.tls })
    this.stub = createClient(
      SparkConnectService,
      createGrpcTransport({
        baseUrl,
        sessionManager: this.#connections,
        interceptors: [headersOf(to)],
        // Arrow batches are large and come from near; compressing them costs more than it saves.
        acceptCompression: [],
      }),
    )
  }

  get context(): RequestContext {
    const { userId, sessionId, clientType } = this.#options
    return {
      sessionId,
      userContext: { userId, userName: userId },
      clientType,
      ...(this.#serverSideSessionId === undefined
        ? {}
        : { clientObservedServerSideSessionId: this.#serverSideSessionId }),
    }
  }

  /** Remembers the server's session, so that a server that was restarted refuses instead of starting from nothing. */
  observe(response: { readonly serverSideSessionId: string }): void {
    if (response.serverSideSessionId !== '') this.#serverSideSessionId = response.serverSideSessionId
  }

  /**
   * Makes a call that may be made twice, again while the server cannot be reached. Throws `SparkError`, or the reason of
   * an aborted signal.
   */
  async call<R extends { readonly serverSideSessionId: string }>(
    run: (options: CallOptions) => Promise<R>,
    {
      signal,
      retry = this.retry,
    }: { readonly signal?: AbortSignal | undefined; readonly retry?: RetryPolicy } = {},
  ): Promise<R> {
    this.assertOpen()
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await run(signal === undefined ? {} : { signal })
        this.observe(response)
        return response
      } catch (error) {
        signal?.throwIfAborted()
        await this.pauseBeforeRetry(error, { attempt, signal, retry })
      }
    }
  }

  /** Waits before a call is tried again, or throws the typed error when it is not to be. */
  async pauseBeforeRetry(
    error: unknown,
    options: {
      readonly attempt: number
      readonly signal: AbortSignal | undefined
      readonly retry?: RetryPolicy
    },
  ): Promise<void> {
    this.assertOpen()
    const pauseMs = isTransient(error)
      ? backoffMs(options.retry ?? this.retry, options.attempt, { serverDelayMs: serverDelayMs(error) })
      : null
    if (pauseMs === null) throw await this.errorOf(error)
    await this.pause(pauseMs, options.signal)
  }

  /** Waits; throws the signal's reason when it is aborted meanwhile. */
  async pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    await sleep(ms, undefined, { signal }).catch(() => signal?.throwIfAborted())
  }

  /** The typed error, with its full text where the server keeps one. */
  async errorOf(error: unknown): Promise<SparkError> {
    const typed = toSparkError(error)
    if (typed.code === 'SPARK_UNREACHABLE')
      return new SparkError('SPARK_UNREACHABLE', `${this.address}: ${typed.message}`, { cause: error })
    const errorId = errorIdOf(error)
    if (errorId === null) return typed
    try {
      const full = await this.stub.fetchErrorDetails({ ...this.context, errorId }, { timeoutMs: 10_000 })
      return toSparkError(error, full)
    } catch {
      // What came with the error is less, and enough.
      return typed
    }
  }

  /** Asks about a plan without running it. */
  async analyze<const A extends Analysis & { readonly case: string }>(
    analyze: A,
    options: { readonly signal?: AbortSignal | undefined; readonly retry?: RetryPolicy } = {},
  ): Promise<AnalysisResult<A['case']>> {
    const response = await this.call(
      (call) => this.stub.analyzePlan({ ...this.context, analyze }, call),
      options,
    )
    if (response.result.case !== analyze.case)
      throw new SparkError(
        'SPARK_PROTOCOL',
        `Asked for ${analyze.case}, the server answered ${response.result.case}`,
      )
    return response.result.value as AnalysisResult<A['case']>
  }

  assertOpen(): void {
    if (this.#isClosed) throw new SparkError('SPARK_SESSION_CLOSED', 'The session was stopped')
  }

  /** Closes the connection. Calls under way fail. */
  close(): void {
    this.#isClosed = true
    this.#connections.abort(new Error('The session was stopped'))
  }
}

function headersOf({ token, headers }: ConnectionString): Interceptor {
  return (next) => (request) => {
    if (token !== undefined) request.header.set('authorization', `Bearer ${token}`)
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value)
    return next(request)
  }
}
