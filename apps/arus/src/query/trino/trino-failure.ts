import { ArusError } from '../../errors.ts'
import { TABLE_NAMES } from '../../lake/table-names.ts'
import { TrinoError } from './trino-client.ts'

const CODES: Readonly<Record<string, 'TABLE_UNKNOWN' | 'QUERY_TIMEOUT' | 'QUERY_QUEUE_FULL' | 'CANCELLED'>> =
  {
    TABLE_NOT_FOUND: 'TABLE_UNKNOWN',
    SCHEMA_NOT_FOUND: 'TABLE_UNKNOWN',
    EXCEEDED_TIME_LIMIT: 'QUERY_TIMEOUT',
    QUERY_QUEUE_FULL: 'QUERY_QUEUE_FULL',
    USER_CANCELED: 'CANCELLED',
  }

/** Trino's own refusals become errors of Arus. */
export function trinoFailure(error: unknown): unknown {
  if (!(error instanceof TrinoError)) return error
  const { message, errorName, errorType } = error.failure
  const isTooMuch = errorType === 'INSUFFICIENT_RESOURCES'
  const code =
    CODES[errorName] ??
    (isTooMuch ? 'QUERY_TOO_EXPENSIVE' : errorType === 'USER_ERROR' ? 'QUERY_INVALID' : 'INTERNAL')
  const hint = code === 'TABLE_UNKNOWN' ? `; there are ${TABLE_NAMES.join(', ')}` : ''
  return new ArusError(code, `${message}${hint}`, { cause: error })
}
