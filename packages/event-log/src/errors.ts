/** What can go wrong with a log, and whether trying again can help. */
export const EVENT_LOG_ERRORS = {
  LOG_TOPIC_UNKNOWN: { retryable: false },
  LOG_PARTITION_UNKNOWN: { retryable: false },
  LOG_TOPIC_INVALID: { retryable: false },
  LOG_RECORD_TOO_LARGE: { retryable: false },
  LOG_CORRUPT: { retryable: false },
  LOG_FORMAT_UNKNOWN: { retryable: false },
  LOG_FULL: { retryable: true },
  LOG_WRITE_FAILED: { retryable: true },
  /** The log's server does not answer. */
  LOG_UNAVAILABLE: { retryable: true },
  /** The log's server does not let this user in, or not do that. */
  LOG_ACCESS_DENIED: { retryable: false },
  /** The log's server is too old, or speaks in a way that is not understood here. */
  LOG_VERSION_UNSUPPORTED: { retryable: false },
  /** Reading was to go on beyond the end. */
  LOG_OFFSET_UNKNOWN: { retryable: false },
  LOG_CLOSED: { retryable: false },
} as const

export type EventLogErrorCode = keyof typeof EVENT_LOG_ERRORS

/** A failure of the log, with a stable code. */
export class EventLogError extends Error {
  readonly code: EventLogErrorCode

  constructor(code: EventLogErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'EventLogError'
    this.code = code
  }

  get canRetry(): boolean {
    return EVENT_LOG_ERRORS[this.code].retryable
  }
}
