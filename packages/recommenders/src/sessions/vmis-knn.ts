import type { FitSignal } from '../model.ts'
import { assertOptions } from '../options.ts'
import { orderSessions, type SessionEvents } from './session-events.ts'
import { indexSessions, type SessionIndex } from './session-index.ts'
import { SessionKnnModel, type SessionWeighting } from './session-knn-model.ts'

export interface VmisKnnOptions {
  /** k: nearest sessions that give scores. */
  readonly neighbourCount?: number
  /** m: most recent sessions that are compared. */
  readonly sampleSize?: number
  /** Newest events of the session at hand that count, 256 at most. */
  readonly historyCount?: number
  /** Weight of the inverse document frequency; 0 leaves it out. */
  readonly idfWeight?: number
}

const DEFAULTS = { neighbourCount: 500, sampleSize: 1_000, historyCount: 10, idfWeight: 1 } as const

/**
 * VMIS-kNN (Kersbergen, Sprangers, Schelter: "Serenade – Low-Latency Session-Based Recommendation in e-Commerce at Scale",
 * SIGMOD 2022, section on VMIS-kNN), the indexed form of VS-kNN (Ludewig and Jannach: "Evaluation of Session-based Recommendation Algorithms", UMUAI
 * 2018). For the session at hand s of length |s|, whose event i was the ω_i-th, from 1:
 *
 *   candidates  the m most recent past sessions that share an item with s
 *   r_n       = Σ_{i ∈ s ∩ n} ω_i / |s|                        similarity of past session n
 *   N         = the k candidates of the greatest r_n, of equal ones the most recent
 *   score_j   = Σ_{n ∈ N, j ∈ n} λ(p_n) · r_n · w · ln(|H| / h_j)
 *
 * with p_n the place of the newest common item counted from the end of s, from 1, λ(p) = 1 − 0.1 p, |H| past sessions and
 * h_j of them with item j. Where an item is in all sessions (ln = 0) or w = 0, that factor is 1, as in the authors' program. Ours
 * differs from it in two: λ ends at 0 (theirs goes negative past place 10), and the last item is left out by `filter` only.
 */
export function fitVmisKnn(
  events: SessionEvents,
  options: VmisKnnOptions = {},
  signal: FitSignal = {},
): SessionKnnModel {
  assertVmisKnnOptions(options)
  return vmisKnnOf(indexSessions(orderSessions(events), signal), options)
}

/** The model of sessions that are indexed already. Throws `MODEL_INPUT_INVALID` for options out of range. */
export function vmisKnnOf(index: SessionIndex, options: VmisKnnOptions): SessionKnnModel {
  assertVmisKnnOptions(options)
  const params = { ...DEFAULTS, ...options }
  return new SessionKnnModel('vmis-knn', params, index, weightingOf(params))
}

function assertVmisKnnOptions(options: VmisKnnOptions): void {
  assertOptions(
    { ...DEFAULTS, ...options },
    { neighbourCount: 'count', sampleSize: 'count', historyCount: 'place count', idfWeight: 'not negative' },
  )
}

function weightingOf({ idfWeight, ...sizes }: Required<VmisKnnOptions>): SessionWeighting {
  return {
    ...sizes,
    similarityAt: (place, length) => (length - place) / length,
    matchAt: (place) => Math.max(0, 1 - 0.1 * (place + 1)),
    lengthFactor: () => 1,
    itemFactor: (idf) => (idf * idfWeight > 0 ? idf * idfWeight : 1),
  }
}
