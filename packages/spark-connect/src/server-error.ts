import { Code, ConnectError } from '@connectrpc/connect'
import { SparkError, type SparkErrorCode, type SparkErrorDetails } from './errors.ts'
import { ErrorInfoSchema, RetryInfoSchema } from './protocol/google/rpc/error_details_pb.ts'
import type { FetchErrorDetailsResponse } from './protocol/spark/connect/base_pb.ts'

const SESSION_LOST = ['SESSION_NOT_FOUND', 'SESSION_CLOSED', 'SESSION_CHANGED']
const OPERATION_LOST = ['OPERATION_NOT_FOUND', 'OPERATION_ABANDONED']
const ANALYSIS = ['AnalysisException', 'ParseException', 'NoSuchTableException', 'NoSuchNamespaceException']
const TRANSPORT_CODES: readonly Code[] = [Code.Unavailable, Code.Aborted]

/**
 * The connection broke, or the server is too busy: the call may be made again. An error that the server itself sent has a
 * gRPC status among its trailers; whatever has none never was an answer.
 */
export function isTransient(error: unknown): error is ConnectError {
  if (!(error instanceof ConnectError)) return false
  if (!isAnswer(error)) return isConnectionLost(error)
  return (
    error.code === Code.Unavailable ||
    error.rawMessage.includes('INVALID_CURSOR.DISCONNECTED') ||
    error.findDetails(RetryInfoSchema).length > 0
  )
}

/** What the server asks to wait before the call is made again. */
export function serverDelayMs(error: ConnectError): number {
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay
  return delay === undefined ? 0 : Number(delay.seconds) * 1000 + delay.nanos / 1e6
}

/** The server says that it does not know the operation or its session. */
export function isOperationUnknown(error: unknown): boolean {
  return ['OPERATION_NOT_FOUND', 'SESSION_NOT_FOUND'].some((name) => mentions(error, name))
}

/** The server already has an operation of that id. */
export function isOperationKnown(error: unknown): boolean {
  return mentions(error, 'OPERATION_ALREADY_EXISTS')
}

/** Under this id the server keeps the full text of an error; null when it sent all there is. */
export function errorIdOf(error: unknown): string | null {
  if (!(error instanceof ConnectError)) return null
  return error.findDetails(ErrorInfoSchema)[0]?.metadata.errorId || null
}

/** The typed error of what a call threw; `full` is what the server tells when it is asked for the whole error. */
export function toSparkError(error: unknown, full?: FetchErrorDetailsResponse): SparkError {
  if (error instanceof SparkError) return error
  if (!(error instanceof ConnectError)) {
    const message = error instanceof Error ? error.message : String(error)
    return new SparkError('SPARK_PROTOCOL', message, { cause: error })
  }
  const details = { ...shortDetails(error), ...(full === undefined ? {} : fullDetails(full)) }
  const message = (full && rootError(full)?.message) || error.rawMessage
  return new SparkError(codeOf(error, details), message, { ...details, cause: error })
}

function codeOf(error: ConnectError, details: SparkErrorDetails): SparkErrorCode {
  const errorClass = details.errorClass ?? ''
  const isOneOf = (names: readonly string[]) => names.some((name) => errorClass.endsWith(name))
  if (isOneOf(SESSION_LOST)) return 'SPARK_SESSION_LOST'
  if (isOneOf(OPERATION_LOST)) return 'SPARK_OPERATION_LOST'
  if (errorClass === 'OPERATION_CANCELED') return 'SPARK_CANCELLED'
  if (!isAnswer(error) || TRANSPORT_CODES.includes(error.code)) return 'SPARK_UNREACHABLE'
  if (error.code === Code.Unauthenticated) return 'SPARK_UNAUTHENTICATED'
  if (error.code === Code.PermissionDenied) return 'SPARK_PERMISSION_DENIED'
  if (error.code === Code.Unimplemented) return 'SPARK_SERVER_UNSUPPORTED'
  if (error.code === Code.Canceled) return 'SPARK_CANCELLED'
  const classes = details.exceptionClasses ?? []
  return classes.some((name) => ANALYSIS.some((suffix) => name.endsWith(suffix)))
    ? 'SPARK_ANALYSIS'
    : 'SPARK_FAILED'
}

function shortDetails(error: ConnectError): SparkErrorDetails {
  const info = error.findDetails(ErrorInfoSchema)[0]
  const metadata = info?.metadata ?? {}
  return {
    errorClass: metadata.errorClass || classInText(error.rawMessage),
    sqlState: metadata.sqlState || undefined,
    messageParameters: jsonOr(metadata.messageParameters, {}),
    exceptionClasses: jsonOr(metadata.classes, info?.reason ? [info.reason] : []),
  }
}

function fullDetails(full: FetchErrorDetailsResponse): SparkErrorDetails {
  const root = rootError(full)
  const throwable = root?.sparkThrowable
  if (root === undefined || throwable === undefined) return {}
  return {
    ...(throwable.errorClass ? { errorClass: throwable.errorClass } : {}),
    ...(throwable.sqlState ? { sqlState: throwable.sqlState } : {}),
    messageParameters: throwable.messageParameters,
    queryContexts: throwable.queryContexts.map(
      ({ objectType, objectName, startIndex, stopIndex, fragment }) => ({
        objectType,
        objectName,
        startIndex,
        stopIndex,
        fragment,
      }),
    ),
    exceptionClasses: root.errorTypeHierarchy,
  }
}

function rootError(full: FetchErrorDetailsResponse) {
  return full.rootErrorIdx === undefined ? undefined : full.errors[full.rootErrorIdx]
}

/** Errors of the service itself, and those of a restarted server, carry no details but begin with the class. */
function classInText(message: string): string | undefined {
  return /^\s*\[([A-Z0-9_.]+)\]/.exec(message)?.[1]
}

/** Metadata are cut off at the server's limit, so what they hold may be no JSON. */
function jsonOr<T>(text: string | undefined, otherwise: T): T {
  try {
    return text ? (JSON.parse(text) as T) : otherwise
  } catch {
    return otherwise
  }
}

function mentions(error: unknown, errorClass: string): boolean {
  return error instanceof ConnectError && (shortDetails(error).errorClass ?? '').endsWith(errorClass)
}

function isAnswer(error: ConnectError): boolean {
  return error.metadata.has('grpc-status')
}

/** Node's own errors have a code; without a cause a stream was reset, or ended too early. Anything else is of this program. */
function isConnectionLost({ cause }: ConnectError): boolean {
  return cause === undefined || typeof (cause as { code?: unknown }).code === 'string'
}
