import type { Lake } from '../lake/lake.ts'
import { pause } from '../pause.ts'
import { followLake } from './build-from-lake.ts'

export interface CatalogueFollowerOptions {
  readonly lake: Lake
  /** The catalogue's folder. */
  readonly folder: string
  /** Between two looks; after a failure up to a minute. */
  readonly intervalMs: number
  /** A catalogue was built; whoever follows the folder serves it. */
  readonly onBuilt?: () => void
  /** Of failures in a row the first. */
  readonly onFault?: (error: unknown) => void
  readonly now?: () => number
}

/** Keeps the catalogue up to the lake's products until stopped. */
export interface CatalogueFollower {
  /** Resolves when nothing of it is at work; what it was building is given up. */
  stop(): Promise<void>
}

const FAILURE_PAUSE_MS_MAX = 60_000

/**
 * Looks for products that another server of the shop imported, and builds the catalogue from them. A look costs one listing
 * of the table's log; only where that changed, more.
 */
export function startCatalogueFollower(options: CatalogueFollowerOptions): CatalogueFollower {
  const stopping = new AbortController()
  const following = follow(options, stopping.signal)
  return {
    async stop() {
      stopping.abort()
      await following
    },
  }
}

async function follow(options: CatalogueFollowerOptions, signal: AbortSignal): Promise<void> {
  const { lake, folder, intervalMs, onBuilt, onFault, now = Date.now } = options
  let seen = ''
  let failureCount = 0
  while (!signal.aborted) {
    try {
      const listing = await logListing(lake)
      if (listing !== '' && listing !== seen) {
        const outcome = await followLake({ lake, folder, nowMs: now(), signal })
        if (outcome === 'built') onBuilt?.()
        if (outcome !== 'busy') seen = listing
      }
      failureCount = 0
    } catch (error) {
      if (failureCount === 0 && !signal.aborted) onFault?.(error)
      failureCount += 1
    }
    await pause(Math.min(intervalMs * 2 ** failureCount, Math.max(intervalMs, FAILURE_PAUSE_MS_MAX)), signal)
  }
}

/** Names and times of the log's files: other ones after each commit, and where the table was made anew; none where it is gone. */
async function logListing(lake: Lake): Promise<string> {
  const { storage } = await lake.table('silver.products')
  const files = await storage.list('_delta_log')
  return files.map(({ path, modifiedMs }) => `${path} ${modifiedMs}`).join('\n')
}
