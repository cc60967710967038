/** How often, and how long apart, a call is tried again while the server cannot be reached. */
export interface RetryPolicy {
  /** Tries after the first; 0 for none. Starts anew with every answer that comes through. */
  readonly maxRetries: number
  readonly initialBackoffMs: number
  readonly maxBackoffMs: number
  /** Each pause is this many times the one before. */
  readonly backoffMultiplier: number
}

/** About half a minute in all. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxRetries: 9,
  initialBackoffMs: 50,
  maxBackoffMs: 8_000,
  backoffMultiplier: 3,
}

/**
 * The pause before try number `retry` (from 1), or null when there are no more. Between half and all of the policy's
 * pause, so that clients of a server that came back do not all knock at once; never less than the server asked for.
 */
export function backoffMs(
  policy: RetryPolicy,
  retry: number,
  { serverDelayMs = 0, random = Math.random }: { serverDelayMs?: number; random?: () => number } = {},
): number | null {
  if (retry > policy.maxRetries) return null
  const full = Math.min(
    policy.maxBackoffMs,
    policy.initialBackoffMs * policy.backoffMultiplier ** (retry - 1),
  )
  return Math.max(serverDelayMs, full / 2 + (random() * full) / 2)
}
