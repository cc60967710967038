import type { FitSignal } from '../model.ts'
import { assertOptions } from '../options.ts'
import { type OrderedSessions, orderSessions, type SessionEvents } from './session-events.ts'
import { sessionCounts, sessionPairs } from './session-pairs.ts'
import { type SessionHistory, SessionPairsModel } from './session-pairs-model.ts'

export interface SessionItemKnnOptions extends Partial<SessionHistory> {
  /** Places that two events of a session may be apart. */
  readonly steps?: number
  /** Places in which a pair's weight falls by e. A large number switches a decay off. */
  readonly distanceDecay?: number
  /** Weight of pairs whose other item came before, 0 to 1 of that of pairs where it came after. */
  readonly backwardWeight?: number
  /** Days in which a session's weight falls by e. */
  readonly ageDecayDays?: number
  /** λ: added to both counts, so that rare items are not similar by chance. */
  readonly regularisation?: number
  /** α: exponent of the count of the item at hand; 1 − α that of the other. 0.5 is the cosine. */
  readonly balance?: number
  /** Neighbours kept of each item. */
  readonly neighbourCount?: number
}

const DEFAULTS = {
  steps: 20,
  distanceDecay: 1e6,
  backwardWeight: 1,
  ageDecayDays: 1e6,
  regularisation: 20,
  balance: 0.5,
  neighbourCount: 100,
  historyCount: 1,
  historyExponent: 1,
} as const

const DAY_MS = 86_400_000

/**
 * Item kNN by co-occurrence in sessions, the baseline of Hidasi, Karatzoglou, Baltrunas, Tikk: "Session-based Recommendations with
 * Recurrent Neural Networks" (ICLR 2016, §4), with decays by distance, direction and age of the session (as the weights of Choi, Kim,
 * Lee, Shim, Lee: "Session-aware Linear Item-Item Models for Session-based Recommendation", WWW 2021, do for linear models):
 *
 *   s_ij = Σ_sessions e^(−age / δ_t) Σ_{x ≠ y, s_x = i, s_y = j} b_xy e^(−(|y − x| − 1) / δ) / ((h_i + λ)^α (h_j + λ)^(1−α))
 *
 * with h the number of sessions with the item, b = 1 where y > x and `backwardWeight` where y < x.
 */
export function fitSessionItemKnn(
  events: SessionEvents,
  options: SessionItemKnnOptions = {},
  signal: FitSignal = {},
): SessionPairsModel {
  return sessionItemKnnOf(orderSessions(events), options, signal)
}

/** The model of sessions that are ordered already. Throws `MODEL_INPUT_INVALID` for options out of range. */
export function sessionItemKnnOf(
  sessions: OrderedSessions,
  options: SessionItemKnnOptions,
  signal: FitSignal = {},
): SessionPairsModel {
  const params = { ...DEFAULTS, ...options }
  assertOptions(params, {
    steps: 'place count',
    distanceDecay: 'above 0',
    backwardWeight: 'not negative',
    ageDecayDays: 'above 0',
    regularisation: 'not negative',
    balance: 'not negative',
    neighbourCount: 'count',
    historyCount: 'place count',
    historyExponent: 'not negative',
  })
  const { steps, neighbourCount, distanceDecay, backwardWeight, ageDecayDays, regularisation, balance } =
    params
  const after = Float32Array.from({ length: steps }, (_, n) => Math.exp(-n / distanceDecay))
  const counts = sessionCounts(sessions)
  const own = Float64Array.from(counts, (count) => (count + regularisation) ** -balance)
  const other = Float64Array.from(counts, (count) => (count + regularisation) ** (balance - 1))
  const { endsMs } = sessions
  const pairs = sessionPairs(
    sessions,
    {
      steps,
      neighbourCount,
      after,
      ...(backwardWeight > 0 ? { before: after.map((weight) => weight * backwardWeight) } : {}),
      sessionFactor: (session) => Math.exp((endsMs[session]! - endsMs[0]!) / DAY_MS / ageDecayDays),
      pairFactor: (i, j) => own[i]! * other[j]!,
    },
    signal,
  )
  return SessionPairsModel.of('session-item-knn', pairs, params)
}
