import type { SessionRules } from './sessions.ts'

/**
 * What the stream processors go by; a rebuild with the same rules, log and catalogue gives the same state, but for what was
 * idle long enough to be forgotten in between.
 */
export interface LiveRules {
  readonly sessions: SessionRules
  /** Shoppers and products of whom nothing was taken in for so long are forgotten. */
  readonly idleMs: number
}

export const DEFAULT_LIVE_RULES: LiveRules = {
  sessions: { gapMs: 30 * 60_000, latenessMs: 24 * 3_600_000 },
  idleMs: 90 * 86_400_000,
}

const GRID_MS = 86_400_000

/** When a value written now may go: on a grid of days, so that one written often is listed once a day. */
export function expiryAt(nowMs: number, keptMs: number): number {
  return Math.ceil((nowMs + keptMs) / GRID_MS) * GRID_MS
}
