/** A leap of more than this beside the machine's own count of time is doubted. */
const LEAP_MS = 60_000
/** A leap that lasted so long is believed. */
const DOUBT_MS = 10 * 60_000

export interface CautiousClockOptions {
  readonly now: () => number
  /** A clock that nobody can set, milliseconds. */
  readonly steadyMs?: (() => number) | undefined
  /** What the clock was when it was last read, maybe by another process: a clock behind it now is doubted. */
  readonly lastMs?: number
}

/**
 * A clock for throwing things away: it follows `now`, but believes a leap only when it has lasted ten minutes. Somebody who
 * sets the clock years ahead or back, and right again, loses nothing; a machine that slept cleans up ten minutes late.
 */
export function cautiousClock({
  now,
  steadyMs = () => performance.now(),
  lastMs = Number.NEGATIVE_INFINITY,
}: CautiousClockOptions): () => number {
  let believedMs = Math.max(now(), lastMs)
  let atMs = steadyMs()
  let doubtedSinceMs: number | null = null
  return () => {
    const toldMs = now()
    const steady = steadyMs()
    const expectedMs = believedMs + (steady - atMs)
    if (Math.abs(toldMs - expectedMs) > LEAP_MS) {
      doubtedSinceMs ??= steady
      if (steady - doubtedSinceMs < DOUBT_MS) return expectedMs
    }
    doubtedSinceMs = null
    believedMs = toldMs
    atMs = steady
    return toldMs
  }
}
