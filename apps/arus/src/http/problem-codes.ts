import { ERROR_CODES, type ErrorCode } from '../errors.ts'

/** Codes of problem documents: those of the program, and one only HTTP knows. */
export type ProblemCode = ErrorCode | 'METHOD_NOT_ALLOWED'

/** What each code means in a few words: the `title` of its problem documents, the same every time. */
export const PROBLEM_TITLES: Readonly<Record<ProblemCode, string>> = {
  SETTINGS_INVALID: 'The settings are not valid',
  NOT_FOUND: 'There is nothing at this address',
  METHOD_NOT_ALLOWED: 'This address does not take this method',
  PRODUCT_UNKNOWN: 'No such product',
  RECOMMENDATION_UNKNOWN: 'No such recommendation',
  TABLE_UNKNOWN: 'No such table',
  TABLE_VERSION_UNKNOWN: 'The table has no such version',
  MODEL_UNKNOWN: 'No such model version',
  KEY_UNKNOWN: 'No such key',
  RULE_UNKNOWN: 'No such rule',
  EXPERIMENT_UNKNOWN: 'No such experiment',
  EXPERIMENT_CONFLICT: 'The experiment cannot do this now',
  REQUEST_INVALID: 'The request is not valid',
  KEY_REQUIRED: 'A key is needed',
  KEY_INVALID: 'The key is not in force',
  KEY_FORBIDDEN: 'The key may not do this',
  ORIGIN_FORBIDDEN: 'Pages of this origin may not do this',
  KEYS_OFF: 'Keys are not required here',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used for another request',
  IDEMPOTENCY_KEY_IN_USE: 'A request with this idempotency key is under way',
  BODY_TOO_LARGE: 'The body is too large',
  MEDIA_TYPE_UNSUPPORTED: 'The content type or encoding is not supported',
  NOT_ACCEPTABLE: 'None of the formats is accepted',
  RATE_LIMITED: 'Too many requests',
  INGEST_OVERLOADED: 'Too many events are in flight',
  NOT_READY: 'This part is not ready',
  FILE_UNREADABLE: 'The file cannot be read',
  CSV_INVALID: 'The file is not a valid CSV',
  CATALOGUE_EMPTY: 'No catalogue has been imported',
  TRAINING_NO_DATA: 'There is nothing to train on',
  EVALUATION_IMPOSSIBLE: 'There is nothing to judge by',
  MODEL_NOT_BETTER: 'The model is not better than the one in place',
  MODEL_FILE_CORRUPT: 'The model file is damaged',
  QUERY_INVALID: 'The query is not valid',
  QUERY_TIMEOUT: 'The query took too long',
  QUERY_TOO_EXPENSIVE: 'The query needs more than it may have',
  QUERY_QUEUE_FULL: 'Too many queries are running',
  SERVER_UNREACHABLE: 'The server cannot be reached',
  ENGINE_UNREACHABLE: 'A part that Arus rests on does not answer',
  ENGINE_UNUSABLE: 'A part that Arus rests on will not do',
  STATE_UNSTORABLE: 'The value cannot be kept in live state',
  STATE_MOVED: 'Live state is not as it was left',
  EVENT_UNUSABLE: 'The event cannot be counted',
  ALREADY_RUNNING: 'Arus already runs here',
  PORT_IN_USE: 'The port is taken',
  CHECK_FAILED: 'A check failed',
  CANCELLED: 'The work was cancelled',
  INTERNAL: 'Something went wrong in the server',
}

export function statusOf(code: ProblemCode): number {
  return code === 'METHOD_NOT_ALLOWED' ? 405 : ERROR_CODES[code].status
}
