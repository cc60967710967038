/** What can go wrong, whether the same call may succeed later, and what to do about it. */
export const SPARK_ERRORS = {
  SPARK_CONNECTION_STRING_INVALID: {
    retryable: false,
    advice: 'Write it as sc://host:15002/;token=…;use_ssl=true',
  },
  SPARK_TOKEN_NEEDS_TLS: {
    retryable: false,
    advice: 'Leave out use_ssl=false: a token goes to other machines over TLS only',
  },
  SPARK_UNREACHABLE: {
    retryable: true,
    advice: 'Check host and port, and that a Spark Connect server runs there',
  },
  SPARK_UNAUTHENTICATED: { retryable: false, advice: 'Give the token the server asks for: …/;token=…' },
  SPARK_PERMISSION_DENIED: { retryable: false, advice: 'Ask for the rights the message names' },
  SPARK_SERVER_UNSUPPORTED: { retryable: false, advice: 'Use Spark 4.0 or newer' },
  SPARK_SESSION_LOST: {
    retryable: false,
    advice: 'Connect again: the server ended the session or was restarted',
  },
  SPARK_SESSION_CLOSED: { retryable: false, advice: 'Use a session that was not stopped' },
  SPARK_OPERATION_LOST: {
    retryable: false,
    advice: 'Find out whether it took effect, then run it again: the server no longer knows it',
  },
  SPARK_CANCELLED: { retryable: false, advice: 'It was interrupted on the server' },
  SPARK_ANALYSIS: { retryable: false, advice: 'Correct the statement, or the names in it' },
  SPARK_FAILED: { retryable: false, advice: 'Read the message and error class, which are the server’s' },
  SPARK_VALUE_INVALID: { retryable: false, advice: 'Give a value that fits the type' },
  SPARK_TYPE_UNSUPPORTED: { retryable: false, advice: 'Cast the column in SQL' },
  SPARK_COLUMNS_AMBIGUOUS: { retryable: false, advice: 'Name the columns apart in SQL, or read batches()' },
  SPARK_PROTOCOL: {
    retryable: false,
    advice: 'The server answered what its protocol does not say; report it',
  },
} as const

export type SparkErrorCode = keyof typeof SPARK_ERRORS

/** A place in a statement or a program that an error is about. */
export interface SparkQueryContext {
  readonly objectType: string
  readonly objectName: string
  /** Positions in the SQL text, from 0; -1 when there are none. */
  readonly startIndex: number
  readonly stopIndex: number
  readonly fragment: string
}

/** What the server says of an error; https://spark.apache.org/docs/latest/sql-error-conditions.html lists them. */
export interface SparkErrorDetails {
  /** For example `TABLE_OR_VIEW_NOT_FOUND`, or `DIVIDE_BY_ZERO`. */
  readonly errorClass?: string | undefined
  /** Five characters, for example `42P01`. */
  readonly sqlState?: string | undefined
  readonly messageParameters?: Readonly<Record<string, string>> | undefined
  readonly queryContexts?: readonly SparkQueryContext[] | undefined
  /** Java classes of the exception, the most special first. */
  readonly exceptionClasses?: readonly string[] | undefined
  readonly cause?: unknown
}

/** A failure of the client, the connection or the server, with a stable code. */
export class SparkError extends Error {
  readonly code: SparkErrorCode
  readonly errorClass: string | undefined
  readonly sqlState: string | undefined
  readonly messageParameters: Readonly<Record<string, string>>
  readonly queryContexts: readonly SparkQueryContext[]
  readonly exceptionClasses: readonly string[]

  constructor(code: SparkErrorCode, message: string, details: SparkErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    this.name = 'SparkError'
    this.code = code
    this.errorClass = details.errorClass
    this.sqlState = details.sqlState
    this.messageParameters = details.messageParameters ?? {}
    this.queryContexts = details.queryContexts ?? []
    this.exceptionClasses = details.exceptionClasses ?? []
  }

  /** The same call may succeed later. */
  get canRetry(): boolean {
    return SPARK_ERRORS[this.code].retryable
  }

  /** What to do next. */
  get advice(): string {
    return SPARK_ERRORS[this.code].advice
  }
}
