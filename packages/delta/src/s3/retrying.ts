import { setTimeout as sleep } from 'node:timers/promises'

/** How often a request is tried, and how long the waits between may be. */
export interface RetryPolicy {
  readonly attemptsMax: number
  /** Longest wait before the second attempt; it doubles with each, up to `delayMsMax`. */
  readonly delayMsFirst: number
  readonly delayMsMax: number
}

export const RETRY_POLICY: RetryPolicy = { attemptsMax: 7, delayMsFirst: 50, delayMsMax: 3_000 }

/**
 * Runs a task until it succeeds, fails with an error that will not pass, or has been tried `attemptsMax` times; then
 * throws its last error. Waits are random up to their bound, so that writers that met do not meet again ("full jitter").
 */
export async function retrying<Result>(
  task: () => Promise<Result>,
  {
    policy,
    isTransient,
  }: { readonly policy: RetryPolicy; readonly isTransient: (error: unknown) => boolean },
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await task()
    } catch (error) {
      if (attempt >= policy.attemptsMax || !isTransient(error)) throw error
      const boundMs = Math.min(policy.delayMsMax, policy.delayMsFirst * 2 ** (attempt - 1))
      await sleep(Math.random() * boundMs)
    }
  }
}
