import { DeltaError } from './errors.ts'

const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])
const MISSING: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

/** A failure of the file system as the `Storage` port states it, where it is sure that nothing was changed. */
export function fileFailure(error: unknown, task: string): DeltaError {
  if (error instanceof DeltaError) return error
  if (FULL.has(errorCode(error))) {
    return new DeltaError(
      'DELTA_STORAGE_FULL',
      `Cannot ${task}: the disk or its quota is full. Nothing was changed; make room and try again`,
      error,
    )
  }
  return new DeltaError(
    'DELTA_STORAGE_FAILED',
    `Cannot ${task}; nothing was changed: ${messageOf(error)}`,
    error,
  )
}

/** As `fileFailure`, for a file that must be there. */
export function readFailure(error: unknown, path: string): DeltaError {
  if (!isMissing(error)) return fileFailure(error, `read ${path}`)
  return new DeltaError('DELTA_NOT_FOUND', `There is no file ${path}`, error)
}

/** A failure after which the file may be there, and may not survive a power loss. */
export function unknownOutcome(error: unknown, path: string): DeltaError {
  return new DeltaError(
    'DELTA_OUTCOME_UNKNOWN',
    `It is not known whether ${path} was written durably: ${messageOf(error)}. Read it to learn what others see, and check the store before going on`,
    error,
  )
}

/** True when the file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return MISSING.has(errorCode(error))
}

/** `code` of an error of Node's. */
export function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
