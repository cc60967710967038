import { DeltaError } from '../errors.ts'
import { statusOf } from './s3-errors.ts'

interface Place {
  readonly bucket: string
  readonly key: string
}

/** What of a store is asked; `S3Store` has more. */
interface Writes {
  putIfAbsent(object: Place, bytes: Uint8Array): Promise<'created' | 'exists'>
  delete(object: Place): Promise<void>
}

const NOT_IMPLEMENTED = 501

/**
 * Shows that a store keeps an object that is there (`If-None-Match: *`) by creating one twice. Some take the header and write
 * all the same: there of two commits of one version the first would be lost without a word. `probe` is a name that nobody
 * has; no object of it is left. Of writers at the same moment it says nothing: only races can show that.
 * Throws `DELTA_STORAGE_UNSUPPORTED` on such a store, and what else may go wrong as the `Storage` port states it, never an
 * unknown outcome: of the table nothing was changed.
 */
export async function proveConditionalWrites(store: Writes, probe: Place): Promise<void> {
  try {
    await store.putIfAbsent(probe, Buffer.from('first'))
    if ((await store.putIfAbsent(probe, Buffer.from('other'))) === 'created') throw unsupportedBy(probe)
  } catch (error) {
    throw failureOf(error, probe)
  } finally {
    await store.delete(probe).catch(() => {})
  }
}

function failureOf(error: unknown, probe: Place): unknown {
  if (!(error instanceof DeltaError)) return error
  if (statusOf(error.cause) === NOT_IMPLEMENTED) return unsupportedBy(probe, error)
  if (error.code !== 'DELTA_OUTCOME_UNKNOWN') return error
  const message = `Cannot find out whether the store keeps what is there, try again later: ${error.message}`
  return new DeltaError('DELTA_STORAGE_UNAVAILABLE', message, error)
}

function unsupportedBy(probe: Place, cause?: unknown): DeltaError {
  return new DeltaError(
    'DELTA_STORAGE_UNSUPPORTED',
    `The store of s3://${probe.bucket} does not keep an object that is there when asked to (If-None-Match: *), so commits would be lost. Nothing is written; use a store with conditional writes`,
    cause,
  )
}
