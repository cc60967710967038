import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../api-schema/index.ts'
import { ArusError } from '../errors.ts'
import { lingerAfter } from './linger.ts'
import { PROBLEM_TITLES, type ProblemCode, statusOf } from './problem-codes.ts'

/** Media type of RFC 9457. */
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** After how many seconds a client that met 503 or 429 may try again. */
const RETRY_AFTER_SECONDS = 1

interface ProblemFacts {
  readonly code: ProblemCode
  readonly status?: number
  readonly detail: string
  readonly errors?: NonNullable<Problem['errors']>
}

/** Codes Fastify and its plugins throw, by what they mean here. */
const CODE_OF_FRAMEWORK: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_CP_ERR_INVALID_CONTENT_ENCODING: 'MEDIA_TYPE_UNSUPPORTED',
}

/** Codes of the event log that say "not now". */
const NOT_NOW = new Set(['LOG_FULL', 'LOG_CLOSED', 'LOG_UNAVAILABLE'])

/** An invalid request, with the places that are wrong: pointers name parameters or fields. */
export function requestInvalid(detail: string, errors: NonNullable<Problem['errors']> = []): ArusError {
  return new ArusError('REQUEST_INVALID', detail, { details: { errors } })
}

/** The problem document (RFC 9457) of a failure. Failures of the server itself tell nothing of its inside. */
export function problemOf(error: unknown, requestId: string): Problem {
  const { code, status, detail, errors } = factsOf(error, requestId)
  return {
    type: `urn:arus:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: PROBLEM_TITLES[code],
    status: status ?? statusOf(code),
    detail,
    code,
    request_id: requestId,
    ...(errors === undefined || errors.length === 0 ? {} : { errors: [...errors] }),
  }
}

/** Sends a failure as a problem document; those of the server itself are logged with the request's id. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error, request.id)
  if (problem.status >= 500 && problem.status !== 503) request.log.error({ err: error }, 'request failed')
  if (problem.status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS)
  if (problem.status === 401) reply.header('www-authenticate', challengeOf(problem))
  if (reply.getHeader('connection') === 'close') lingerAfter(request.raw)
  return sendDocument(problem, reply)
}

/** Sends a problem document, with its request id as a header too. */
export function sendDocument(problem: Problem, reply: FastifyReply): FastifyReply {
  return reply
    .status(problem.status)
    .header('content-type', PROBLEM_TYPE)
    .header('x-request-id', problem.request_id)
    .send(JSON.stringify(problem))
}

function factsOf(error: unknown, requestId: string): ProblemFacts {
  if (error instanceof ArusError) return factsOfArus(error, requestId)
  if (!(error instanceof Error)) return internal(requestId)
  const failure: Partial<FastifyError> & Error = error
  if (failure.validation !== undefined) return factsOfValidation(failure)
  const code = typeof failure.code === 'string' ? failure.code : ''
  if (NOT_NOW.has(code)) {
    return {
      code: 'NOT_READY',
      detail: 'The event log cannot take or give anything now; try again in a second.',
    }
  }
  const status = failure.statusCode ?? 500
  if (status >= 500) return internal(requestId)
  return {
    code: CODE_OF_FRAMEWORK[code] ?? codeOfStatus(status),
    ...detailOfFramework(failure, code, status),
  }
}

function factsOfArus(error: ArusError, requestId: string): ProblemFacts {
  if (error.status === 500) return { ...internal(requestId), code: error.code }
  return { code: error.code, detail: error.message, errors: errorsOf(error) }
}

function errorsOf(error: ArusError): NonNullable<Problem['errors']> {
  const { errors } = error.details
  return Array.isArray(errors) ? errors.filter(isPlace) : []
}

function isPlace(value: unknown): value is { pointer: string; reason: string } {
  return typeof value === 'object' && value !== null && 'pointer' in value && 'reason' in value
}

function factsOfValidation({ validation, validationContext }: Partial<FastifyError>): ProblemFacts {
  const errors = (validation ?? []).map(({ instancePath, params, message }) => {
    const missing = typeof params.missingProperty === 'string' ? `/${params.missingProperty}` : ''
    return { pointer: `${instancePath}${missing}`, reason: message ?? 'is not valid' }
  })
  const place = validationContext === 'querystring' ? 'query parameters' : (validationContext ?? 'request')
  const list = errors.map(({ pointer, reason }) => `${pointer.slice(1).replaceAll('/', '.')} ${reason}`)
  return { code: 'REQUEST_INVALID', detail: `The ${place} are not valid: ${list.join('; ')}.`, errors }
}

function detailOfFramework(
  error: Error,
  code: string,
  status: number,
): { readonly detail: string; readonly status?: number } {
  switch (CODE_OF_FRAMEWORK[code]) {
    case 'BODY_TOO_LARGE':
      return {
        detail: 'The body is larger than this server takes, counted after decompression; send it in parts.',
      }
    case 'MEDIA_TYPE_UNSUPPORTED':
      return {
        detail:
          'Send JSON with "content-type: application/json" or one JSON event per line with "application/x-ndjson", plain or with "content-encoding: gzip".',
      }
    default:
      return { detail: `${error.message}.`.replace(/\.\.$/, '.'), status }
  }
}

function codeOfStatus(status: number): ProblemCode {
  if (status === 413) return 'BODY_TOO_LARGE'
  if (status === 415) return 'MEDIA_TYPE_UNSUPPORTED'
  if (status === 429) return 'RATE_LIMITED'
  if (status === 404) return 'NOT_FOUND'
  return 'REQUEST_INVALID'
}

function internal(requestId: string): ProblemFacts {
  return {
    code: 'INTERNAL',
    detail: `The server failed; its log tells more under the request id ${requestId}.`,
  }
}

/** What a client should send (RFC 6750, 3). Only bearer tokens are asked for: for basic ones browsers open a window. */
function challengeOf({ code }: Problem): string {
  return code === 'KEY_INVALID' ? 'Bearer realm="arus", error="invalid_token"' : 'Bearer realm="arus"'
}
