import { DeltaError } from '../errors.ts'

const CONFLICT = 409
/** Of what the store cannot do it will not be able later. */
const NOT_IMPLEMENTED = 501
const FULL = 507
const PASSING: ReadonlySet<number> = new Set([408, CONFLICT, 429])
/** The request did not reach the store. */
const NOT_SENT: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])

/** HTTP status of the answer; undefined when none came. */
export function statusOf(error: unknown): number | undefined {
  const metadata = fieldOf(error, '$metadata')
  const status = fieldOf(metadata, 'httpStatusCode')
  return typeof status === 'number' ? status : undefined
}

/** True when the same request may succeed later: no answer, an answer that broke off, overload, a race (409). */
export function isTransient(error: unknown): boolean {
  if (error instanceof DeltaError) return false
  const status = statusOf(error)
  if (status === undefined || status < 300) return true
  const isOfServer = status >= 500 && status !== FULL && status !== NOT_IMPLEMENTED
  return isOfServer || PASSING.has(status)
}

/** True when a write that failed so may have been carried out: only an answer of the store's own says that it was not. */
export function mayHaveHappened(error: unknown): boolean {
  return isTransient(error) && statusOf(error) !== CONFLICT && !NOT_SENT.has(fieldOf(error, 'code'))
}

/** True when there is no object of that name. A bucket that is missing is not that: the table would look empty. */
export function isNoObject(error: unknown): boolean {
  return statusOf(error) === 404 && fieldOf(error, 'name') !== 'NoSuchBucket'
}

/** A failure of the store as the `Storage` port states it, where it is sure that nothing was changed. */
export function s3Failure(error: unknown, task: string): DeltaError {
  if (error instanceof DeltaError) return error
  const found = `${fieldOf(error, 'name')}: ${fieldOf(error, 'message')}`
  if (isNoObject(error)) {
    return new DeltaError('DELTA_NOT_FOUND', `Cannot ${task}: there is no such object`, error)
  }
  if (statusOf(error) === FULL) {
    return new DeltaError(
      'DELTA_STORAGE_FULL',
      `Cannot ${task}: the store is full; make room and try again`,
      error,
    )
  }
  if (isTransient(error)) {
    return new DeltaError(
      'DELTA_STORAGE_UNAVAILABLE',
      `Cannot ${task}: the store does not answer as it should, try again later (${found})`,
      error,
    )
  }
  return new DeltaError(
    'DELTA_STORAGE_FAILED',
    `Cannot ${task}: the store refused; check bucket, region, keys and rights (${found})`,
    error,
  )
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
