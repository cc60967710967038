import { doesCount, WEIGHT_MAX } from '../confidence.ts'
import { RecommenderError } from '../errors.ts'
import type { Interactions } from '../model.ts'

/**
 * What visitors did in sessions, as parallel arrays of equal length, one element per event, in any order. Sessions and
 * items are dense indices from 0; an item may occur several times in a session, and a session may have no event.
 */
export interface SessionEvents {
  readonly sessionCount: number
  readonly itemCount: number
  readonly sessions: Uint32Array
  readonly items: Uint32Array
  /** Event time, UTC milliseconds. Events of one session at one time are in the order given. */
  readonly timesMs: Float64Array
  /** Strength of the event, > 0 (a purchase weighs more than a view). Default: 1 each. */
  readonly weights?: Float32Array
}

/** Sessions that have events, the one that ended last first, each with its events from the oldest to the newest. */
export interface OrderedSessions {
  readonly itemCount: number
  /** Places where sessions begin in the arrays below, and one more for the end. */
  readonly starts: Uint32Array
  readonly items: Uint32Array
  readonly weights: Float32Array
  /** Place that each event had in the arrays that were ordered. */
  readonly order: Uint32Array
  /** Time of the last event of each session. */
  readonly endsMs: Float64Array
  /** Index that each session had in the events. */
  readonly sessions: Uint32Array
}

/**
 * Sorts events into sessions, and sessions by their end; those that end at the same time are in descending order of index.
 * O(n log n) at worst, O(n) where events of a session come in order. Throws `MODEL_INPUT_INVALID` for what is not as
 * `SessionEvents` says.
 */
export function orderSessions(events: SessionEvents): OrderedSessions {
  assertSessionEvents(events)
  const { sessionCount, itemCount, sessions, timesMs, items, weights } = events
  const { starts, order } = eventsBySession(sessions, sessionCount)
  const endsMs = new Float64Array(sessionCount)
  for (let session = 0; session < sessionCount; session++) {
    const own = order.subarray(starts[session], starts[session + 1])
    if (!isAscending(own, timesMs)) own.sort((a, b) => timesMs[a]! - timesMs[b]! || a - b)
    if (own.length > 0) endsMs[session] = timesMs[own.at(-1)!]!
  }
  const newestFirst = Uint32Array.from(
    new Uint32Array(sessionCount).map((_, n) => n).filter((n) => starts[n + 1]! > starts[n]!),
  ).sort((a, b) => endsMs[b]! - endsMs[a]! || b - a)
  const newStarts = new Uint32Array(newestFirst.length + 1)
  const sorted = new Uint32Array(items.length)
  for (const [place, session] of newestFirst.entries()) {
    const own = order.subarray(starts[session], starts[session + 1])
    sorted.set(own, newStarts[place])
    newStarts[place + 1] = newStarts[place]! + own.length
  }
  return {
    itemCount,
    starts: newStarts,
    order: sorted,
    items: sorted.map((event) => items[event]!),
    weights: Float32Array.from(sorted, (event) => weights?.[event] ?? 1),
    endsMs: Float64Array.from(newestFirst, (session) => endsMs[session]!),
    sessions: newestFirst,
  }
}

/** Sessions as users of a model that knows no order: popular, trending, the walk. */
export function interactionsOfSessions(events: SessionEvents): Interactions {
  const { sessionCount, itemCount, sessions, items, timesMs, weights } = events
  return {
    userCount: sessionCount,
    itemCount,
    users: sessions,
    items,
    timesMs,
    weights: weights ?? new Float32Array(items.length).fill(1),
  }
}

function eventsBySession(sessions: Uint32Array, sessionCount: number) {
  const starts = new Uint32Array(sessionCount + 1)
  for (let n = 0; n < sessions.length; n++) starts[sessions[n]! + 1]! += 1
  for (let session = 0; session < sessionCount; session++) starts[session + 1]! += starts[session]!
  const next = starts.slice()
  const order = new Uint32Array(sessions.length)
  for (let n = 0; n < sessions.length; n++) order[next[sessions[n]!]!++] = n
  return { starts, order }
}

function isAscending(events: Uint32Array, timesMs: Float64Array): boolean {
  for (let n = 1; n < events.length; n++) if (timesMs[events[n]!]! < timesMs[events[n - 1]!]!) return false
  return true
}

function assertSessionEvents({ sessionCount, itemCount, ...events }: SessionEvents): void {
  const { sessions, items, timesMs, weights } = events
  const count = sessions.length
  if (items.length !== count || timesMs.length !== count || (weights ?? sessions).length !== count) {
    throw invalid(
      `the arrays must have one length, found ${count}, ${items.length}, ${timesMs.length}, ${weights?.length ?? 'none'}`,
    )
  }
  for (let n = 0; n < count; n++) {
    if (sessions[n]! >= sessionCount)
      throw invalid(`session ${sessions[n]} at ${n} is not below ${sessionCount}`)
    if (items[n]! >= itemCount) throw invalid(`item ${items[n]} at ${n} is not below ${itemCount}`)
    if (!Number.isFinite(timesMs[n]!)) throw invalid(`time ${timesMs[n]} at ${n} is not a number`)
    if (weights !== undefined && !(weights[n]! > 0 && doesCount(weights[n]!)))
      throw invalid(`weight ${weights[n]} at ${n} is not above 0 and at most ${WEIGHT_MAX}`)
  }
}

function invalid(what: string): RecommenderError {
  return new RecommenderError('MODEL_INPUT_INVALID', `Session events: ${what}`)
}
