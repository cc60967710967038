import { findErrorBy } from '@platformatic/kafka'
import { EventLogError, type EventLogErrorCode } from '../errors.ts'

/** Kafka's own error names that mean something to a caller; all others are told by whether another try can help. */
const CODES: Readonly<Record<string, EventLogErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'LOG_TOPIC_UNKNOWN',
  UNKNOWN_TOPIC_ID: 'LOG_TOPIC_UNKNOWN',
  TOPIC_AUTHORIZATION_FAILED: 'LOG_ACCESS_DENIED',
  GROUP_AUTHORIZATION_FAILED: 'LOG_ACCESS_DENIED',
  CLUSTER_AUTHORIZATION_FAILED: 'LOG_ACCESS_DENIED',
  SASL_AUTHENTICATION_FAILED: 'LOG_ACCESS_DENIED',
  UNSUPPORTED_SASL_MECHANISM: 'LOG_ACCESS_DENIED',
  MESSAGE_TOO_LARGE: 'LOG_RECORD_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'LOG_RECORD_TOO_LARGE',
  INVALID_TOPIC_EXCEPTION: 'LOG_TOPIC_INVALID',
  INVALID_PARTITIONS: 'LOG_TOPIC_INVALID',
  INVALID_REPLICATION_FACTOR: 'LOG_TOPIC_INVALID',
  INVALID_CONFIG: 'LOG_TOPIC_INVALID',
  POLICY_VIOLATION: 'LOG_TOPIC_INVALID',
  UNSUPPORTED_VERSION: 'LOG_VERSION_UNSUPPORTED',
}

const LIBRARY_CODES: Readonly<Record<string, EventLogErrorCode>> = {
  PLT_KFK_AUTHENTICATION: 'LOG_ACCESS_DENIED',
  PLT_KFK_UNSUPPORTED_API: 'LOG_VERSION_UNSUPPORTED',
  PLT_KFK_UNSUPPORTED_FORMAT: 'LOG_VERSION_UNSUPPORTED',
  PLT_KFK_UNSUPPORTED_COMPRESSION: 'LOG_VERSION_UNSUPPORTED',
}

const ADVICE: Partial<Record<EventLogErrorCode, string>> = {
  LOG_UNAVAILABLE:
    'is Kafka running there, and does it speak this protocol (TLS or not)? Try again in a moment',
  LOG_ACCESS_DENIED: 'check user, password and mechanism, and what that user may do',
  LOG_VERSION_UNSUPPORTED: 'Kafka 3.1 or newer is needed',
  LOG_RECORD_TOO_LARGE: 'raise max.message.bytes of the topic, or send less at once',
}

/**
 * The log's error for a failure of the client library; `doing` says what was tried, and where. `otherwise` is the code of what
 * is in no table here.
 */
export function kafkaFailure(
  error: unknown,
  doing: string,
  otherwise: EventLogErrorCode = 'LOG_WRITE_FAILED',
): EventLogError {
  if (error instanceof EventLogError) return error
  const code = codeOf(error) ?? otherwise
  const advice = ADVICE[code]
  return new EventLogError(
    code,
    `Kafka, ${doing}: ${reasonOf(error)}${advice === undefined ? '' : `; ${advice}`}`,
    error,
  )
}

/** True when the failure holds an error of the broker's with this name. */
export function isKafkaError(error: unknown, apiId: string): boolean {
  return error instanceof Error && findErrorBy(error, 'apiId', apiId) !== null
}

function codeOf(error: unknown): EventLogErrorCode | null {
  for (const one of causesOf(error)) {
    const { apiId, code, message } = one as { apiId?: string; code?: string; message?: string }
    const known = CODES[apiId ?? ''] ?? LIBRARY_CODES[code ?? '']
    if (known !== undefined) return known
    // The library replaces the broker's error by this text.
    if (code === 'PLT_KFK_USER' && message?.startsWith('Unknown topic')) return 'LOG_TOPIC_UNKNOWN'
  }
  for (const one of causesOf(error)) {
    const { code, canRetry, closed } = one as { code?: string; canRetry?: boolean; closed?: boolean }
    if (closed === true) return 'LOG_CLOSED'
    if (code === 'PLT_KFK_NETWORK' || canRetry === true) return 'LOG_UNAVAILABLE'
  }
  return null
}

/** The innermost failure says most: "connect ECONNREFUSED 127.0.0.1:9092", not "metadata failed 3 times". */
function reasonOf(error: unknown): string {
  const last = causesOf(error).at(-1) as { message?: string; serverErrorMessage?: string } | undefined
  return last?.serverErrorMessage || last?.message || String(error)
}

/** An error with all those inside it, outermost first; of several beside one another, the last is followed to its end last. */
function causesOf(error: unknown): unknown[] {
  if (typeof error !== 'object' || error === null) return []
  const { errors, cause } = error as { errors?: unknown[]; cause?: unknown }
  return [error, ...(errors ?? []).flatMap(causesOf), ...causesOf(cause)]
}
