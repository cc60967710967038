/** What can go wrong with a table, and whether trying again can help. */
export const DELTA_ERRORS = {
  DELTA_NOT_FOUND: { retryable: false },
  DELTA_NOT_A_TABLE: { retryable: false },
  DELTA_EXISTS: { retryable: false },
  DELTA_LOG_GAP: { retryable: false },
  DELTA_LOG_CORRUPT: { retryable: false },
  DELTA_FILE_CORRUPT: { retryable: false },
  DELTA_VERSION_UNKNOWN: { retryable: false },
  DELTA_FEATURE_UNSUPPORTED: { retryable: false },
  DELTA_PATH_UNSUPPORTED: { retryable: false },
  DELTA_SCHEMA_INVALID: { retryable: false },
  DELTA_SCHEMA_MISMATCH: { retryable: false },
  DELTA_VALUE_INVALID: { retryable: false },
  DELTA_CONSTRAINT_VIOLATED: { retryable: false },
  DELTA_APPEND_ONLY: { retryable: false },
  DELTA_MERGE_AMBIGUOUS: { retryable: false },
  DELTA_RETENTION_TOO_SHORT: { retryable: false },
  DELTA_QUERY_INVALID: { retryable: false },
  DELTA_CONTENTION: { retryable: true },
  DELTA_STORAGE_FULL: { retryable: true },
  DELTA_STORAGE_UNAVAILABLE: { retryable: true },
  DELTA_STORAGE_FAILED: { retryable: false },
  DELTA_STORAGE_UNSUPPORTED: { retryable: false },
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

/** The error for a feature of the protocol that this library does not honour, by its name. */
export function unsupported(what: string, features: readonly string[] = []): DeltaError {
  const names = features.length > 0 ? ` (features: ${features.join(', ')})` : ''
  return new DeltaError(
    'DELTA_FEATURE_UNSUPPORTED',
    `The table needs ${what}${names}, which is not supported`,
  )
}
