import type { DuckDBConnection } from '@duckdb/node-api'
import { ArusError } from '../errors.ts'

/** Runs SQL work that an abort interrupts; throws `CANCELLED` then. */
export async function interruptible<T>(
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const cancelled = (cause?: unknown) =>
    new ArusError('CANCELLED', 'The import was stopped; nothing half done is served', { cause })
  if (signal?.aborted) throw cancelled()
  const interrupt = () => connection.interrupt()
  signal?.addEventListener('abort', interrupt)
  try {
    return await work()
  } catch (error) {
    throw signal?.aborted ? cancelled(error) : error
  } finally {
    signal?.removeEventListener('abort', interrupt)
  }
}
