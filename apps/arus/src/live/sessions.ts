import type { ShopEvent } from '../events/event.ts'

/** Sessions kept of a shopper: what a late event may still join. */
const SESSIONS_KEPT = 20

/** A session that begins so long after an intake was begun by a clock that was wrong: it is let go. */
const AHEAD_MS = 3_600_000

/** How sessions are told apart. */
export interface SessionRules {
  /** A stretch without an event this long ends a session that no sender named. */
  readonly gapMs: number
  /** An event so much older than the shopper's newest joins no session any more. */
  readonly latenessMs: number
}

/** A session as stored, times by event time, UTC ms. */
export type Session = readonly [
  name: string,
  startMs: number,
  endMs: number,
  events: number,
  purchases: number,
]

/** What an event did to the sessions of its shopper. */
export interface SessionChange {
  /** Name of the session the event belongs to; null for one that came too late. */
  readonly session: string | null
  /** The newest first, at most 20. */
  readonly sessions: readonly Session[]
  readonly removed: readonly Session[]
  readonly added: readonly Session[]
}

/**
 * Puts an event into the sessions of its shopper, by event time: into the one its sender names, or into the stretch it
 * touches; a late event that closes the gap between two stretches makes them one.
 */
export function placeInSessions(
  sessions: readonly Session[],
  event: Pick<ShopEvent, 'session_id' | 'action' | 'received_at'>,
  { shopper, atMs, rules }: { readonly shopper: string; readonly atMs: number; readonly rules: SessionRules },
): SessionChange {
  const startMsMax = event.received_at + AHEAD_MS
  const real = sessions.every(([, startMs]) => startMs <= startMsMax)
    ? sessions
    : sessions.filter(([, startMs]) => startMs <= startMsMax)
  if (isTooLate(real, event, { atMs, rules }))
    return { session: null, sessions: real, removed: [], added: [] }
  const unnamed = `${shopper}@`
  const removed: Session[] = []
  const others: Session[] = []
  let session: Session = [
    event.session_id ?? `${unnamed}${atMs}`,
    atMs,
    atMs,
    1,
    event.action === 'purchase' ? 1 : 0,
  ]
  for (const known of real) {
    if (belongsTo(known, event, { unnamed, atMs, rules })) {
      removed.push(known)
      session = merged(session, known)
    } else others.push(known)
  }
  const older = others.findIndex(([, , endMs]) => endMs <= session[2])
  others.splice(older < 0 ? others.length : older, 0, session)
  if (others.length > SESSIONS_KEPT) others.length = SESSIONS_KEPT
  return { session: session[0], sessions: others, removed, added: [session] }
}

interface Placing {
  readonly atMs: number
  readonly rules: SessionRules
}

/** Later than is allowed, or older than all that is kept when some were let go. */
function isTooLate(
  sessions: readonly Session[],
  { session_id, received_at }: Pick<ShopEvent, 'session_id' | 'received_at'>,
  { atMs, rules }: Placing,
): boolean {
  if (session_id !== null && sessions.some(([name]) => name === session_id)) return false
  const newestMs = sessions.reduce((newest, [, , endMs]) => Math.max(newest, endMs), atMs)
  if (atMs < Math.min(newestMs, received_at) - rules.latenessMs) return true
  return sessions.length === SESSIONS_KEPT && atMs < (sessions.at(-1)?.[1] ?? atMs) - rules.gapMs
}

function belongsTo(
  [name, startMs, endMs]: Session,
  { session_id }: Pick<ShopEvent, 'session_id'>,
  { unnamed, atMs, rules }: Placing & { readonly unnamed: string },
): boolean {
  if (session_id !== null) return name === session_id
  return atMs >= startMs - rules.gapMs && atMs <= endMs + rules.gapMs && name.startsWith(unnamed)
}

/** One session of two; the name is that of the one that was there. */
function merged(into: Session, [name, startMs, endMs, events, purchases]: Session): Session {
  return [name, Math.min(into[1], startMs), Math.max(into[2], endMs), into[3] + events, into[4] + purchases]
}
