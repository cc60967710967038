import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from './poison-watch.ts'

export interface RetryOptions {
  /** Wait after a fault, doubled with each one in a row. */
  readonly retryMs: number
  readonly signal: AbortSignal
  readonly onFault: (error: unknown) => void
  /** Brings what a fault has left half done in order, before the work is done again. */
  readonly recover?: () => Promise<void>
}

/**
 * Does the work again and again until the signal aborts; whatever it throws is taken for something that passes. The work says when something went well:
 * the next fault is the first in a row then.
 */
export async function untilAborted(
  work: (succeeded: () => void) => Promise<void>,
  { retryMs, signal, onFault, recover }: RetryOptions,
): Promise<void> {
  let faultsInRow = 0
  const succeeded = () => {
    faultsInRow = 0
  }
  while (!signal.aborted) {
    try {
      await work(succeeded)
    } catch (error) {
      if (signal.aborted) return
      onFault(error)
      faultsInRow += 1
      await sleep(backoffMs(faultsInRow, retryMs), undefined, { signal }).catch(() => {})
      await recover?.().catch(onFault)
    }
  }
}
