import { type SqlRequest, SqlRequestSchema } from '../../api-schema/lake.ts'
import { bodyInvalid, placesWrong } from '../exact-body.ts'
import { requestInvalid } from '../problem.ts'

/**
 * The body of `POST /sql`. Nothing is converted, so that a parameter keeps the type it was sent with.
 * Throws `REQUEST_INVALID` naming each place that is wrong.
 */
export function parseSqlRequest(text: string | undefined): SqlRequest {
  const body = parsed(text ?? '')
  const errors = placesWrong(SqlRequestSchema, body)
  if (errors.length === 0) return body as SqlRequest
  throw bodyInvalid(errors)
}

function parsed(text: string): unknown {
  if (text.trim() === '') throw requestInvalid('The body is empty; send {"sql": "SELECT …"}.')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw requestInvalid(
      `The body is not valid JSON: ${error instanceof Error ? error.message : String(error)}.`,
    )
  }
}
