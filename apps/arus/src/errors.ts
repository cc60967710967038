/** Codes of the program's failures: what they mean to HTTP and to the shell. Packages have tables of their own. */
export const ERROR_CODES = {
  SETTINGS_INVALID: { status: 500, exitCode: 2 },
  NOT_FOUND: { status: 404, exitCode: 4 },
  PRODUCT_UNKNOWN: { status: 404, exitCode: 4 },
  RECOMMENDATION_UNKNOWN: { status: 404, exitCode: 4 },
  TABLE_UNKNOWN: { status: 404, exitCode: 4 },
  TABLE_VERSION_UNKNOWN: { status: 404, exitCode: 4 },
  MODEL_UNKNOWN: { status: 404, exitCode: 4 },
  KEY_UNKNOWN: { status: 404, exitCode: 4 },
  RULE_UNKNOWN: { status: 404, exitCode: 4 },
  EXPERIMENT_UNKNOWN: { status: 404, exitCode: 4 },
  EXPERIMENT_CONFLICT: { status: 409, exitCode: 3 },
  REQUEST_INVALID: { status: 400, exitCode: 2 },
  KEY_REQUIRED: { status: 401, exitCode: 4 },
  KEY_INVALID: { status: 401, exitCode: 4 },
  KEY_FORBIDDEN: { status: 403, exitCode: 4 },
  ORIGIN_FORBIDDEN: { status: 403, exitCode: 4 },
  KEYS_OFF: { status: 403, exitCode: 3 },
  IDEMPOTENCY_KEY_REUSED: { status: 422, exitCode: 2 },
  IDEMPOTENCY_KEY_IN_USE: { status: 409, exitCode: 5 },
  BODY_TOO_LARGE: { status: 413, exitCode: 2 },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, exitCode: 2 },
  NOT_ACCEPTABLE: { status: 406, exitCode: 2 },
  RATE_LIMITED: { status: 429, exitCode: 5 },
  INGEST_OVERLOADED: { status: 503, exitCode: 5 },
  NOT_READY: { status: 503, exitCode: 5 },
  FILE_UNREADABLE: { status: 400, exitCode: 2 },
  CSV_INVALID: { status: 400, exitCode: 2 },
  CATALOGUE_EMPTY: { status: 503, exitCode: 3 },
  TRAINING_NO_DATA: { status: 409, exitCode: 3 },
  EVALUATION_IMPOSSIBLE: { status: 409, exitCode: 3 },
  MODEL_NOT_BETTER: { status: 409, exitCode: 3 },
  MODEL_FILE_CORRUPT: { status: 500, exitCode: 6 },
  QUERY_INVALID: { status: 400, exitCode: 2 },
  QUERY_TIMEOUT: { status: 408, exitCode: 5 },
  QUERY_TOO_EXPENSIVE: { status: 422, exitCode: 5 },
  QUERY_QUEUE_FULL: { status: 503, exitCode: 5 },
  SERVER_UNREACHABLE: { status: 502, exitCode: 5 },
  ENGINE_UNREACHABLE: { status: 503, exitCode: 5 },
  ENGINE_UNUSABLE: { status: 500, exitCode: 2 },
  STATE_UNSTORABLE: { status: 500, exitCode: 70 },
  STATE_MOVED: { status: 503, exitCode: 5 },
  EVENT_UNUSABLE: { status: 422, exitCode: 2 },
  ALREADY_RUNNING: { status: 409, exitCode: 5 },
  PORT_IN_USE: { status: 500, exitCode: 5 },
  CHECK_FAILED: { status: 500, exitCode: 1 },
  CANCELLED: { status: 499, exitCode: 130 },
  INTERNAL: { status: 500, exitCode: 70 },
} as const

export type ErrorCode = keyof typeof ERROR_CODES

export interface ArusErrorOptions {
  readonly cause?: unknown
  /** Facts a caller may show or log; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** A failure with a stable code. The message says what was expected, what was found, where, and what to do. */
export class ArusError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: ArusErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'ArusError'
    this.code = code
    this.details = options.details ?? {}
  }

  get status(): number {
    return ERROR_CODES[this.code].status
  }

  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode
  }
}
