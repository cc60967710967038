/** A leap ahead of more than this beside the machine's own count of time is doubted. */
const LEAP_MS = 60_000
/** A leap that lasted so long is believed. */
const DOUBT_MS = 10 * 60_000

export interface CautiousClockOptions {
  readonly now: () => number
  /** A clock that nobody can set, milliseconds. */
  readonly steadyMs?: () => number
}

/**
 * A clock for throwing things away: it follows `now`, but believes a leap ahead only when it has lasted ten minutes.
 * Somebody who sets the clock a year ahead and back loses nothing; a machine that slept cleans up ten minutes late.
 */
export function cautiousClock({
  now,
  steadyMs = () => performance.now(),
}: CautiousClockOptions): () => number {
  let believedMs = now()
  let atMs = steadyMs()
  let doubtedSinceMs: number | null = null
  return () => {
    const toldMs = now()
    const steady = steadyMs()
    const expectedMs = believedMs + (steady - atMs)
    if (toldMs > expectedMs + LEAP_MS) {
      doubtedSinceMs ??= steady
      if (steady - doubtedSinceMs < DOUBT_MS) return expectedMs
    }
    doubtedSinceMs = null
    believedMs = toldMs
    atMs = steady
    return toldMs
  }
}
