/** What can go wrong with a model. */
export const RECOMMENDER_ERRORS = {
  MODEL_INPUT_INVALID: { retryable: false },
  MODEL_FILE_CORRUPT: { retryable: false },
  MODEL_FILE_UNKNOWN: { retryable: false },
} as const

export type RecommenderErrorCode = keyof typeof RECOMMENDER_ERRORS

/** A failure of a model, with a stable code. */
export class RecommenderError extends Error {
  readonly code: RecommenderErrorCode

  constructor(code: RecommenderErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'RecommenderError'
    this.code = code
  }
}
