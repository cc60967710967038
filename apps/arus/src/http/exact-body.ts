import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Errors } from 'typebox/value'
import type { Problem } from '../api-schema/index.ts'
import { requestInvalid } from './problem.ts'

/** Places told of a wrong body at most. */
const PLACES_MAX = 10

/**
 * Validates a body as it stands. The validator of query parameters converts types, since all of them are texts; in a body it
 * would take null for 0, which may mean the opposite.
 */
export const exactBody: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  return (body: unknown) => {
    const errors = placesWrong(schema, body)
    return errors.length === 0 ? { value: body } : { error: bodyInvalid(errors) }
  }
}

/** Where a body is not as its schema says, ten places at most. */
export function placesWrong(schema: TSchema, body: unknown): NonNullable<Problem['errors']> {
  return Errors(schema, body)
    .filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'boolean')
    .slice(0, PLACES_MAX)
    .map(({ instancePath, message }) => ({ pointer: instancePath, reason: message }))
}

/** The refusal of a body that is wrong in these places. */
export function bodyInvalid(errors: NonNullable<Problem['errors']>): Error {
  const list = errors.map(({ pointer, reason }) => `${pointer.slice(1) || 'the body'} ${reason}`)
  return requestInvalid(`The body is not valid: ${list.join('; ')}.`, errors)
}
