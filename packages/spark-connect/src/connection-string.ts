import { SparkError } from './errors.ts'

const DEFAULT_PORT = 15002
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Where a Spark Connect server is, and how to speak to it. */
export interface ConnectionString {
  readonly host: string
  readonly port: number
  readonly useSsl: boolean
  readonly token: string | undefined
  readonly userId: string | undefined
  readonly userAgent: string | undefined
  /** A UUID, to go on with a session that another client left. */
  readonly sessionId: string | undefined
  /** Every other parameter; they go to the server as headers. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Parses `sc://host:port/;name=value;…`, as `connect/docs/client-connection-string.md` of Spark describes it: values are
 * percent-encoded, the port is 15002 unless given, a token implies TLS. On the loopback address a token goes without TLS
 * unless `use_ssl=true` says otherwise.
 * Throws `SPARK_CONNECTION_STRING_INVALID`, `SPARK_TOKEN_NEEDS_TLS`.
 */
export function parseConnectionString(text: string): ConnectionString {
  const match = /^sc:\/\/([^/;]*)(?:\/(?:;(.*))?)?$/s.exec(text.trim())
  if (match === null) throw invalid('it must look like sc://host:port/;name=value')
  const { host, port } = parseAddress(match[1]!)
  const { token, use_ssl, user_id, user_agent, session_id, ...headers } = parseParameters(match[2] ?? '')
  if (use_ssl !== undefined && use_ssl !== 'true' && use_ssl !== 'false')
    throw invalid('use_ssl must be true or false')
  if (session_id !== undefined && !UUID.test(session_id)) throw invalid('session_id must be a UUID')
  if (token !== undefined && use_ssl === 'false' && !isLoopback(host))
    throw new SparkError('SPARK_TOKEN_NEEDS_TLS', `The token would go to ${host} in clear text`)
  return {
    host,
    port,
    useSsl: use_ssl === undefined ? token !== undefined && !isLoopback(host) : use_ssl === 'true',
    token,
    userId: user_id,
    userAgent: user_agent,
    sessionId: session_id,
    headers,
  }
}

function parseAddress(address: string): { readonly host: string; readonly port: number } {
  let url: URL
  try {
    // A scheme without a default port, so that none is taken away.
    url = new URL(`tcp://${address}`)
  } catch {
    throw invalid('host and port must look like host:15002 or [::1]:15002')
  }
  if (url.hostname === '' || url.username !== '' || url.password !== '' || url.search + url.hash !== '')
    throw invalid('it must name a host, and parameters after /;')
  return { host: url.hostname, port: url.port === '' ? DEFAULT_PORT : Number(url.port) }
}

function parseParameters(text: string): Record<string, string | undefined> & Record<string, string> {
  const parameters: Record<string, string> = {}
  for (const part of text.split(';').filter((part) => part !== '')) {
    const equals = part.indexOf('=')
    if (equals < 1) throw invalid('each parameter must look like name=value')
    parameters[part.slice(0, equals)] = decode(part.slice(equals + 1))
  }
  return parameters
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw invalid('values must be percent-encoded')
  }
}

/** This machine itself, whose traffic nobody else sees. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

/** The text is not repeated: it may hold a token. */
function invalid(what: string): SparkError {
  return new SparkError('SPARK_CONNECTION_STRING_INVALID', `The connection string is wrong: ${what}`)
}
