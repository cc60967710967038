import type { FitSignal } from '../model.ts'
import { assertOptions } from '../options.ts'
import { type OrderedSessions, orderSessions, type SessionEvents } from './session-events.ts'
import { sessionPairs } from './session-pairs.ts'
import { type SessionHistory, SessionPairsModel } from './session-pairs-model.ts'

export interface SequentialRulesOptions extends Partial<SessionHistory> {
  /** Events after an item that count for it. */
  readonly steps?: number
  /** γ: an event d places after the item weighs d^−γ. */
  readonly distanceExponent?: number
  /** Rules kept of each item. */
  readonly neighbourCount?: number
}

const DEFAULTS = {
  steps: 10,
  distanceExponent: 1,
  neighbourCount: 100,
  historyCount: 1,
  historyExponent: 1,
} as const

/**
 * Sequential rules (Kamehkhosh, Jannach, Ludewig: "A Comparison of Frequent Pattern Techniques and a Deep Learning Method for
 * Session-Based Recommendation", TempRec 2017; SR in Ludewig and Jannach, UMUAI 2018): the score of j after i is
 *
 *   Σ_sessions Σ_{x < y, s_x = i, s_y = j, y − x ≤ steps} (y − x)^−γ
 *
 * applied to the newest event; with `historyCount` above 1 also to those before it, each with p^−`historyExponent` of its place.
 */
export function fitSequentialRules(
  events: SessionEvents,
  options: SequentialRulesOptions = {},
  signal: FitSignal = {},
): SessionPairsModel {
  return sequentialRulesOf(orderSessions(events), options, signal)
}

/** The model of sessions that are ordered already. Throws `MODEL_INPUT_INVALID` for options out of range. */
export function sequentialRulesOf(
  sessions: OrderedSessions,
  options: SequentialRulesOptions,
  signal: FitSignal = {},
): SessionPairsModel {
  const params = { ...DEFAULTS, ...options }
  assertOptions(params, {
    steps: 'place count',
    distanceExponent: 'not negative',
    neighbourCount: 'count',
    historyCount: 'place count',
    historyExponent: 'not negative',
  })
  const { steps, neighbourCount, distanceExponent } = params
  const after = Float32Array.from({ length: steps }, (_, n) => (n + 1) ** -distanceExponent)
  const pairs = sessionPairs(
    sessions,
    { steps, after, neighbourCount, sessionFactor: () => 1, pairFactor: () => 1 },
    signal,
  )
  return SessionPairsModel.of('sequential-rules', pairs, params)
}
