/** What can go wrong with a table, and whether trying again can help. */
export const DELTA_ERRORS = {
  DELTA_NOT_FOUND: { retryable: false },
  DELTA_NOT_A_TABLE: { retryable: false },
  DELTA_EXISTS: { retryable: false },
  DELTA_LOG_GAP: { retryable: false },
  DELTA_LOG_CORRUPT: { retryable: false },
  DELTA_VERSION_UNKNOWN: { retryable: false },
  DELTA_FEATURE_UNSUPPORTED: { retryable: false },
  DELTA_SCHEMA_INVALID: { retryable: false },
  DELTA_SCHEMA_MISMATCH: { retryable: false },
  DELTA_VALUE_INVALID: { retryable: false },
  DELTA_CONTENTION: { retryable: true },
  DELTA_PATH_UNSUPPORTED: { retryable: false },
  DELTA_STORAGE_FULL: { retryable: true },
  DELTA_STORAGE_UNAVAILABLE: { retryable: true },
  DELTA_STORAGE_FAILED: { retryable: false },
  DELTA_OUTCOME_UNKNOWN: { retryable: false },
} as const

export type DeltaErrorCode = keyof typeof DELTA_ERRORS

/** A failure of a table, with a stable code. */
export class DeltaError extends Error {
  readonly code: DeltaErrorCode

  constructor(code: DeltaErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'DeltaError'
    this.code = code
  }

  get canRetry(): boolean {
    return DELTA_ERRORS[this.code].retryable
  }
}
