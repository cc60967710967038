import { ClusterMeans } from './cluster-means.ts'
import type { SessionEvaluation } from './evaluate-sessions.ts'

/** The predictions of an evaluation, one by one. */
export type SessionPredictions = Pick<SessionEvaluation, 'reciprocalRanks' | 'sessions'>

/** A mean with its 95 % interval. */
export interface MeanInterval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/**
 * Mean differences a − b over the same predictions, with 95 % intervals that take predictions of one session as dependent
 * (`ClusterMeans`). A model is surely better in what has `low` above 0.
 */
export function sessionDifference(
  a: SessionPredictions,
  b: SessionPredictions,
): { readonly hitRate: MeanInterval; readonly mrr: MeanInterval } {
  const totals = new ClusterMeans(2, new Set(a.sessions).size)
  const values = new Float64Array(2)
  for (let n = 0; n < a.reciprocalRanks.length; n++) {
    if (n > 0 && a.sessions[n] !== a.sessions[n - 1]) totals.endCluster()
    const [mine, theirs] = [a.reciprocalRanks[n]!, b.reciprocalRanks[n]!]
    values[0] = (mine > 0 ? 1 : 0) - (theirs > 0 ? 1 : 0)
    values[1] = mine - theirs
    totals.add(values)
  }
  const means = totals.means()
  const halfWidths = totals.halfWidths()
  const at = (n: number): MeanInterval => ({
    mean: means[n]!,
    low: means[n]! - halfWidths[n]!,
    high: means[n]! + halfWidths[n]!,
  })
  return { hitRate: at(0), mrr: at(1) }
}

/** True where a is surely above b in hit rate or MRR, and surely below it in neither. */
export function isSurelyBetter(a: SessionPredictions, b: SessionPredictions): boolean {
  const { hitRate, mrr } = sessionDifference(a, b)
  return (hitRate.low > 0 && mrr.high >= 0) || (mrr.low > 0 && hitRate.high >= 0)
}
