import { RecommenderError } from '../errors.ts'
import { orderSessions, type SessionEvents } from './session-events.ts'

/**
 * Cuts each session (here: all that a visitor did) wherever more than `gapMs` passed without an event; 30 minutes is what web
 * analytics call a visit. Events keep their places, sessions are numbered anew. Throws `MODEL_INPUT_INVALID`.
 */
export function sessionsByGap(events: SessionEvents, gapMs: number): SessionEvents {
  if (!(gapMs > 0)) throw new RecommenderError('MODEL_INPUT_INVALID', `gapMs must be above 0, found ${gapMs}`)
  const { starts, order } = orderSessions(events)
  const sessions = new Uint32Array(order.length)
  let sessionCount = 0
  for (let visitor = 0; visitor + 1 < starts.length; visitor++) {
    for (let n = starts[visitor]!; n < starts[visitor + 1]!; n++) {
      const isCut =
        n === starts[visitor]! || events.timesMs[order[n]!]! - events.timesMs[order[n - 1]!]! > gapMs
      if (isCut) sessionCount += 1
      sessions[order[n]!] = sessionCount - 1
    }
  }
  return { ...events, sessionCount, sessions }
}
