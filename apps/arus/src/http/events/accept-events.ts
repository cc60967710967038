import { ArusError } from '../../errors.ts'
import type { IngestResult } from '../../events/ingest.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { ApiMetrics } from '../metrics.ts'

/** Gives events to ingest and counts what came of them. Throws `NOT_READY` where there is no ingest. */
export async function acceptEvents(
  events: readonly unknown[],
  deps: ApiDeps,
  metrics: ApiMetrics,
): Promise<IngestResult> {
  const ingest = deps.ingest()
  if (ingest === null)
    throw new ArusError('NOT_READY', 'Events cannot be taken in now; try again in a second.')
  const result = await ingest.accept(events)
  metrics.countIngest(result)
  return result
}
