import { ArusError } from '../errors.ts'
import type { SqlQuestion } from './lake-sql.ts'

/** Longest text, in characters. */
const SQL_LENGTH_MAX = 200_000

/** Throws what is wrong with a question whoever answers it. */
export function assertAskable({ sql, params = [], signal }: SqlQuestion): void {
  if (signal?.aborted) throw new ArusError('CANCELLED', 'The query was cancelled')
  if ([sql, ...Object.values(params)].some((text) => typeof text === 'string' && text.includes('\0'))) {
    throw new ArusError('QUERY_INVALID', 'A text may not hold the character NUL')
  }
  if (sql.length <= SQL_LENGTH_MAX) return
  throw new ArusError(
    'QUERY_INVALID',
    `The text has ${sql.length} characters; at most ${SQL_LENGTH_MAX} are taken`,
  )
}
