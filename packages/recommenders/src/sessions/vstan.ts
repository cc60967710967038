import type { FitSignal } from '../model.ts'
import { assertOptions } from '../options.ts'
import { orderSessions, type SessionEvents } from './session-events.ts'
import { indexSessions, type SessionIndex } from './session-index.ts'
import { SessionKnnModel, type SessionWeighting } from './session-knn-model.ts'

export interface VstanOptions {
  /** k: nearest sessions that give scores. */
  readonly neighbourCount?: number
  /** Most recent sessions that are compared. */
  readonly sampleSize?: number
  /** Newest events of the session at hand that count, 256 at most. */
  readonly historyCount?: number
  /** λ_spw: places in which an own event's weight in the similarity falls by e. */
  readonly sessionPositionDecay?: number
  /** λ_snh, days in which a past session's similarity falls by e. A large number switches a decay off. */
  readonly sessionAgeDecayDays?: number
  /** λ_inh: places from the last common item in which a neighbour's item falls by e. */
  readonly itemDistanceDecay?: number
  /** λ_ipw: places in which a neighbour falls by e, by the newest own item that it shares. */
  readonly matchPositionDecay?: number
  /** λ_idf: weight of the inverse document frequency; 0 leaves it out. */
  readonly idfWeight?: number
}

const DEFAULTS = {
  neighbourCount: 1_000,
  sampleSize: 5_000,
  historyCount: 20,
  sessionPositionDecay: 2,
  sessionAgeDecayDays: 20,
  itemDistanceDecay: 4,
  matchPositionDecay: 2,
  idfWeight: 1,
} as const

/**
 * VSTAN (Ludewig, Mauro, Latifi, Jannach: "Empirical Analysis of Session-Based Recommendation Algorithms", UMUAI 2021, which
 * describes it among the compared methods and publishes it in session-rec): the three decays of STAN (Garg, Gupta, Malhotra, Vig, Shroff:
 * "Sequence and Time Aware Neighborhood for Session-based Recommendations", SIGIR 2019) on VS-kNN, with weights by item frequency and
 * newest match. For the session at hand s, p_i the place of item i from its end, from 0:
 *
 *   candidates  the m most recent past sessions that share an item with s
 *   r_n     = Σ_{i ∈ s ∩ n} e^(−p_i / λ_spw) / √|n| · e^(−age_n / λ_snh)
 *   N       = the k candidates of the greatest r_n
 *   score_j = Σ_{n ∈ N, j ∈ n} r_n · e^(−|pos_n(j) − pos_n(i*)| / λ_inh) · e^(−p_n / λ_ipw) · (1 + λ_idf ln(|H| / h_j))
 *
 * with i* the last item of n that is in s, pos_n the last place in n, p_n the place in s of the newest common item, |H| past sessions, h_j of
 * them with j. The norm of s in the cosine is left out: it is a factor of all scores alike, as is the time of asking.
 */
export function fitVstan(
  events: SessionEvents,
  options: VstanOptions = {},
  signal: FitSignal = {},
): SessionKnnModel {
  assertVstanOptions(options)
  return vstanOf(indexSessions(orderSessions(events), signal), options)
}

/** The model of sessions that are indexed already. Throws `MODEL_INPUT_INVALID` for options out of range. */
export function vstanOf(index: SessionIndex, options: VstanOptions): SessionKnnModel {
  assertVstanOptions(options)
  const params = { ...DEFAULTS, ...options }
  return new SessionKnnModel('vstan', params, index, weightingOf(params))
}

function assertVstanOptions(options: VstanOptions): void {
  assertOptions(
    { ...DEFAULTS, ...options },
    {
      neighbourCount: 'count',
      sampleSize: 'count',
      historyCount: 'place count',
      sessionPositionDecay: 'above 0',
      sessionAgeDecayDays: 'above 0',
      itemDistanceDecay: 'above 0',
      matchPositionDecay: 'above 0',
      idfWeight: 'not negative',
    },
  )
}

function weightingOf(params: Required<VstanOptions>): SessionWeighting {
  const { neighbourCount, sampleSize, historyCount, idfWeight } = params
  return {
    neighbourCount,
    sampleSize,
    historyCount,
    similarityAt: (place) => Math.exp(-place / params.sessionPositionDecay),
    matchAt: (place) => Math.exp(-place / params.matchPositionDecay),
    lengthFactor: (distinctItems) => 1 / Math.sqrt(distinctItems),
    ageDecayDays: params.sessionAgeDecayDays,
    distanceFactor: (distance) => Math.exp(-distance / params.itemDistanceDecay),
    itemFactor: (idf) => 1 + idfWeight * idf,
  }
}
