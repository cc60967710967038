import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { type ClientOptions, SparkConnectClient } from './client.ts'
import { parseConnectionString } from './connection-string.ts'
import { SparkError } from './errors.ts'
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from './retry-policy.ts'
import { SparkSession } from './session.ts'

export interface ConnectOptions {
  /** What the connection string does not say; default the user of the operating system. */
  readonly userId?: string
  /** Told to the server, which shows it; default the name of this library. */
  readonly userAgent?: string
  /** A UUID, to go on with a session; default a new one. */
  readonly sessionId?: string
  /** How a call is tried again once the session exists; `connect` itself fails at once. */
  readonly retry?: Partial<RetryPolicy>
  /** How long the server may take to answer first. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** Certificates of TLS: `ca` of the server's issuer, `cert` and `key` where the server asks for them. */
  readonly tls?: ClientOptions['tls']
  readonly signal?: AbortSignal
}

const USER_AGENT = 'arus-spark-connect'
const NO_RETRY: RetryPolicy = { ...DEFAULT_RETRY_POLICY, maxRetries: 0 }
/** Parameters of SQL are expressions, and errors have full texts, since this one. */
const OLDEST_MAJOR_VERSION = 4

/**
 * Opens a session on a Spark Connect server: `connect('sc://host:15002/;token=…;use_ssl=true')`. Resolves when the server
 * has answered. Throws `SPARK_CONNECTION_STRING_INVALID`, `SPARK_TOKEN_NEEDS_TLS`, `SPARK_UNREACHABLE`,
 * `SPARK_UNAUTHENTICATED`, `SPARK_SERVER_UNSUPPORTED`.
 */
export async function connect(connectionString: string, options: ConnectOptions = {}): Promise<SparkSession> {
  const to = parseConnectionString(connectionString)
  const { connectTimeoutMs = 10_000 } = options
  const client = new SparkConnectClient(to, {
    userId: to.userId ?? options.userId ?? userInfo().username,
    clientType: `${to.userAgent ?? options.userAgent ?? USER_AGENT} node/${process.versions.node} os/${process.platform}`,
    sessionId: to.sessionId ?? options.sessionId ?? randomUUID(),
    retry: { ...DEFAULT_RETRY_POLICY, ...options.retry },
    connectTimeoutMs,
    tls: options.tls ?? {},
  })
  try {
    await assertServer(client, connectTimeoutMs, options.signal)
    return new SparkSession(client)
  } catch (error) {
    client.close()
    throw error
  }
}

async function assertServer(
  client: SparkConnectClient,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  const request = { case: 'sparkVersion' as const, value: {} }
  const answer = await client
    .analyze(request, { signal: either, retry: NO_RETRY })
    .catch((error: unknown) => {
      if (!timeout.aborted || signal?.aborted) throw error
      throw new SparkError(
        'SPARK_UNREACHABLE',
        `${client.address} did not answer within ${timeoutMs / 1000} s`,
      )
    })
  if (Number.parseInt(answer.version, 10) < OLDEST_MAJOR_VERSION)
    throw new SparkError('SPARK_SERVER_UNSUPPORTED', `${client.address} runs Spark ${answer.version}`)
}
