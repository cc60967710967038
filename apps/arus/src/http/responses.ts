import type Type from 'typebox'
import { ProblemSchema } from '../api-schema/index.ts'

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'A parameter or the body is not valid.',
  401: 'A key is needed, or the one presented is not in force.',
  403: 'The key, or the page that uses it, may not do this.',
  404: 'There is no such thing.',
  409: 'The same is under way, or something else stands in the way.',
  413: 'The body is too large.',
  415: 'The content type or encoding is not supported.',
  422: 'The key of idempotency was used for something else.',
  429: 'Too many requests; go on after `Retry-After` seconds.',
  431: 'The address and headers together are too long.',
  503: 'Not now; try again after `Retry-After` seconds.',
}

/** What may be answered before a route is found. */
const ANYWHERE = [431]

/** Response schemas of a route: the body of 200, and problem documents for the statuses named and any failure. */
export function responses<T extends Type.TSchema>(body: T, problems: readonly number[] = []): { 200: T } {
  const all: unknown = { 200: { ...body, description: 'The answer.' }, ...problemResponses(problems) }
  return all as { 200: T }
}

/** Response schemas of a route's failures: problem documents for the statuses named and any failure of the server. */
export function problemResponses(problems: readonly number[]): object {
  const named = [...problems, ...ANYWHERE].map((status) => [
    String(status),
    problem(STATUS_TEXT[status] ?? 'Failed.'),
  ])
  return { ...Object.fromEntries(named), '5xx': problem('The server failed.') }
}

function problem(description: string): object {
  return { description, content: { 'application/problem+json': { schema: ProblemSchema } } }
}
