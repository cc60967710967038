import { orderSessions, type SessionEvents } from './session-events.ts'

/** Past sessions and the sessions to predict, over the same items; each side numbers its sessions from 0. */
export interface SessionSplit {
  readonly train: SessionEvents
  readonly test: SessionEvents
}

const DAY_MS = 86_400_000
/** A last day is a test set where it holds so many sessions, as shares of all. */
const LAST_DAY_SHARE_MIN = 0.02
const LAST_DAY_SHARE_MAX = 0.4

/**
 * Splits whole sessions by the time of their last event: the newest `testShare` of those with two events or more are the test, as
 * is any shorter one as late (it holds nothing to predict). Sessions of equal end are on one side or the other by index.
 */
export function sessionSplit(events: SessionEvents, testShare = 0.2): SessionSplit {
  const { starts, sessions } = orderSessions(events)
  const isTest = new Uint8Array(events.sessionCount)
  const lengthAt = (n: number) => starts[n + 1]! - starts[n]!
  const long = sessions.reduce((count, _, n) => count + (lengthAt(n) > 1 ? 1 : 0), 0)
  let left = Math.floor(long * testShare)
  for (let n = 0; n < sessions.length && left > 0; n++) {
    isTest[sessions[n]!] = 1
    if (lengthAt(n) > 1) left -= 1
  }
  return splitBy(events, isTest)
}

/**
 * The split of GRU4Rec (Hidasi et al., ICLR 2016, §4): sessions that end in the last 24 hours are the test. Where these are fewer
 * than 2 % of the sessions or more than 40 %, the newest 20 % are (`sessionSplit`).
 */
export function lastDaySplit(events: SessionEvents): SessionSplit {
  const { endsMs, sessions } = orderSessions(events)
  const fromMs = (endsMs[0] ?? 0) - DAY_MS
  const isTest = new Uint8Array(events.sessionCount)
  let count = 0
  for (; count < sessions.length && endsMs[count]! > fromMs; count++) isTest[sessions[count]!] = 1
  const share = count / Math.max(1, sessions.length)
  return share < LAST_DAY_SHARE_MIN || share > LAST_DAY_SHARE_MAX
    ? sessionSplit(events)
    : splitBy(events, isTest)
}

function splitBy(events: SessionEvents, isTest: Uint8Array): SessionSplit {
  return { train: where(events, isTest, 0), test: where(events, isTest, 1) }
}

function where(all: SessionEvents, side: Uint8Array, wanted: number): SessionEvents {
  const numbers = new Uint32Array(all.sessionCount)
  let sessionCount = 0
  for (let session = 0; session < all.sessionCount; session++)
    if (side[session] === wanted) numbers[session] = sessionCount++
  const kept = Uint32Array.from(all.sessions, (_, n) => n).filter((n) => side[all.sessions[n]!] === wanted)
  return {
    sessionCount,
    itemCount: all.itemCount,
    sessions: kept.map((n) => numbers[all.sessions[n]!]!),
    items: kept.map((n) => all.items[n]!),
    timesMs: Float64Array.from(kept, (n) => all.timesMs[n]!),
    ...(all.weights === undefined ? {} : { weights: Float32Array.from(kept, (n) => all.weights![n]!) }),
  }
}
