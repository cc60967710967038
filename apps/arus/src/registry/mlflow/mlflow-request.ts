import { setTimeout as sleep } from 'node:timers/promises'
import type { MlflowSettings } from '../../config/mlflow-settings.ts'
import { ArusError } from '../../errors.ts'

export type MlflowAccess = Pick<MlflowSettings, 'trackingUri' | 'username' | 'password' | 'token'>

/** What a request may take, and how often it is tried. */
export interface Patience {
  readonly timeoutMs: number
  readonly attemptsMax: number
}

export interface MlflowRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the server's address, with its parameters. */
  readonly path: string
  readonly json?: unknown
  /** Read while it is sent, so that a file need not be in memory. */
  readonly content?: Blob
  /** What it is for, for messages: "make a run". */
  readonly purpose: string
  readonly patience?: Patience
  /** Sending it twice may do it twice, so it is sent again only where it cannot have arrived. */
  readonly isOnce?: boolean
}

export const PATIENT: Patience = { timeoutMs: 10_000, attemptsMax: 4 }
/** To find out how the server is now. */
export const ONCE: Patience = { timeoutMs: 10_000, attemptsMax: 1 }
/** For those who have something else to go on with. */
export const HASTY: Patience = { timeoutMs: 3_000, attemptsMax: 1 }

const DELAY_MS_FIRST = 200
const MESSAGE_LENGTH_MAX = 300

/** Errors of a connection that was never made. */
const NOT_CONNECTED: readonly unknown[] = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]

/**
 * Sends a request to MLflow and returns the answer's bytes; again, with growing pauses, while the server is away or
 * busy. Throws `ENGINE_UNREACHABLE` when it stays so, and `ENGINE_UNUSABLE` when the server refuses: its own code is
 * `details.mlflow`.
 */
export async function sendToMlflow(access: MlflowAccess, request: MlflowRequest): Promise<Uint8Array> {
  const { attemptsMax } = request.patience ?? PATIENT
  for (let attempt = 1; ; attempt++) {
    try {
      return await sendOnce(access, request)
    } catch (error) {
      if (attempt >= attemptsMax || !mayTryAgain(error, request)) throw error
      // Half of the pause is random, so that processes do not come back at once.
      await sleep(DELAY_MS_FIRST * 2 ** (attempt - 1) * (0.5 + Math.random() / 2))
    }
  }
}

/** As `sendToMlflow`, for an answer in JSON. */
export async function askMlflow<Answer>(access: MlflowAccess, request: MlflowRequest): Promise<Answer> {
  const text = new TextDecoder().decode(await sendToMlflow(access, request))
  try {
    return JSON.parse(text) as Answer
  } catch (error) {
    throw new ArusError(
      'ENGINE_UNUSABLE',
      `${access.trackingUri} did not answer as MLflow does (to ${request.purpose}); check MLFLOW_TRACKING_URI`,
      { cause: error },
    )
  }
}

/** The code MLflow gave for refusing, such as `RESOURCE_DOES_NOT_EXIST`; null for other failures. */
export function mlflowCode(error: unknown): string | null {
  const code = error instanceof ArusError ? error.details.mlflow : null
  return typeof code === 'string' ? code : null
}

async function sendOnce(access: MlflowAccess, request: MlflowRequest): Promise<Uint8Array> {
  const { timeoutMs } = request.patience ?? PATIENT
  try {
    const response = await fetch(access.trackingUri + request.path, {
      method: request.method,
      headers: headersOf(access, request),
      body: bodyOf(request),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const bytes = await response.bytes()
    if (response.ok) return bytes
    throw refusal(access, request, { status: response.status, body: new TextDecoder().decode(bytes) })
  } catch (error) {
    if (error instanceof ArusError) throw error
    throw unreachable(access, error, timeoutMs)
  }
}

function headersOf(
  { username, password, token }: MlflowAccess,
  { json }: MlflowRequest,
): Record<string, string> {
  const headers: Record<string, string> = {}
  if (json !== undefined) headers['content-type'] = 'application/json'
  // As MLflow's own clients choose where both are set.
  if (username !== null && password !== null)
    headers.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  else if (token !== null) headers.authorization = `Bearer ${token}`
  return headers
}

function bodyOf({ json, content }: MlflowRequest): Blob | string | null {
  return json === undefined ? (content ?? null) : JSON.stringify(json)
}

function unreachable({ trackingUri }: MlflowAccess, error: unknown, timeoutMs: number): ArusError {
  const { code, message } = causeOf(error)
  const isTimeout = error instanceof Error && error.name === 'TimeoutError'
  const why = isTimeout ? `no answer within ${timeoutMs / 1000} s` : (code ?? message)
  return new ArusError(
    'ENGINE_UNREACHABLE',
    `MLflow does not answer at ${trackingUri} (${why}); check MLFLOW_TRACKING_URI and that the server runs`,
    { cause: error, details: { connection: code } },
  )
}

/** What `fetch` hides behind "fetch failed": Node's code of a connection that failed, or words. */
function causeOf(error: unknown): { readonly code: string | null; readonly message: string } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = (cause as { readonly code?: unknown } | null)?.code
  return {
    code: typeof code === 'string' ? code : null,
    message: cause instanceof Error ? cause.message : String(cause),
  }
}

interface Refusal {
  readonly status: number
  readonly body: string
}

function refusal(
  { trackingUri }: MlflowAccess,
  { purpose }: MlflowRequest,
  { status, body }: Refusal,
): ArusError {
  const { error_code: mlflow = null, message = body } = parsed(body)
  const said = message.replaceAll(/\s+/g, ' ').slice(0, MESSAGE_LENGTH_MAX)
  const details = { mlflow, status }
  if (status === 401)
    return new ArusError(
      'ENGINE_UNUSABLE',
      `MLflow at ${trackingUri} does not take the name and password (401); check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN`,
      { details },
    )
  if (status === 403)
    return new ArusError(
      'ENGINE_UNUSABLE',
      `MLflow at ${trackingUri} does not let Arus ${purpose} (403: ${said}); give its user the right to`,
      { details },
    )
  if (isPassing(status))
    return new ArusError(
      'ENGINE_UNREACHABLE',
      `MLflow at ${trackingUri} fails to ${purpose} (${status}: ${said})`,
      {
        details,
      },
    )
  return new ArusError(
    'ENGINE_UNUSABLE',
    mlflow === null
      ? `${trackingUri} answers ${status} without a word of MLflow's (to ${purpose}); check MLFLOW_TRACKING_URI: MLflow 2.9 or newer must be there`
      : `MLflow at ${trackingUri} does not ${purpose} (${mlflow}: ${said})`,
    { details },
  )
}

function parsed(body: string): { readonly error_code?: string; readonly message?: string } {
  try {
    const answer: unknown = JSON.parse(body)
    return typeof answer === 'object' && answer !== null ? answer : {}
  } catch {
    return {}
  }
}

/** Of a server that is overloaded, starting, or behind a proxy that misses it. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}

function mayTryAgain(error: unknown, { isOnce = false }: MlflowRequest): boolean {
  if (!(error instanceof ArusError) || error.code !== 'ENGINE_UNREACHABLE') return false
  return !isOnce || NOT_CONNECTED.includes(error.details.connection)
}
