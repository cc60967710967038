import type { UnitScores } from '../evaluation/compare.ts'
import type { FitSignal, Model, ScoredItems, UserItems } from '../model.ts'
import { orderSessions, type SessionEvents } from './session-events.ts'
import type { SessionSplit } from './session-split.ts'

/** Metrics of one model over predictions in test sessions, all of full rankings. */
export interface SessionEvaluation {
  /**
   * Means over predictions. Of the next item: `hit_rate@k`, `mrr@k`. Of the different items of the rest of the session: `recall@k`, `ndcg@k`,
   * `map@k`. `coverage@k`: share of the train items that were in any list.
   */
  readonly metrics: Readonly<Record<string, number>>
  /** Half the width of the 95 % interval of each mean; sessions are independent, predictions of one session are not. */
  readonly halfWidths: Readonly<Record<string, number>>
  readonly predictionCount: number
  /** 1 / rank of the next item, 0 beyond k, of each prediction: equal models give equal arrays, so that `pairedDifference` compares. */
  readonly reciprocalRanks: Float64Array
  /** The means by session, for `compareWith`. */
  readonly bySession: Readonly<Record<string, UnitScores>>
}

/** Test sessions prepared for predictions, so that many models are measured without doing it again. */
export interface SessionCases {
  readonly trainItemCount: number
  /** Each session's known events, newest first. */
  readonly sessions: readonly UserItems[]
}

export interface EvaluateSessionsOptions extends FitSignal {
  readonly k: number
  /** Test sessions at most; every n-th is taken where there are more. */
  readonly sessionLimit?: number
}

const METRICS = ['hit_rate', 'mrr', 'recall', 'ndcg', 'map'] as const
const PROGRESS_STEP = 256

/**
 * The protocol of GRU4Rec (Hidasi et al., ICLR 2016, §4) and session-rec (Ludewig et al., UMUAI 2021): in each test session each prefix
 * predicts what follows. All items of the training data are ranked, none sampled; items of the session may be recommended again, since
 * shoppers do return to them. Events of items that no training session has are left out of the test, and so are sessions with fewer
 * than two events then. A list of fewer than k items is a list whose other places are misses.
 */
export function evaluateSessions(
  model: Model,
  split: SessionSplit,
  options: EvaluateSessionsOptions,
): SessionEvaluation {
  return evaluateCases(model, sessionCases(split, options.sessionLimit), options)
}

/** See `evaluateSessions`. */
export function sessionCases(
  { train, test }: SessionSplit,
  sessionLimit = Number.POSITIVE_INFINITY,
): SessionCases {
  const isKnown = new Uint8Array(Math.max(train.itemCount, test.itemCount))
  for (const item of train.items) isKnown[item] = 1
  const sessions = sessionsOf(test)
    .map(({ items, weights }) => ({
      items: items.filter((item) => isKnown[item] === 1).reverse(),
      weights: weights.filter((_, n) => isKnown[items[n]!] === 1).reverse(),
    }))
    .filter(({ items }) => items.length > 1)
  const step = Math.max(1, Math.ceil(sessions.length / sessionLimit))
  return {
    trainItemCount: isKnown.reduce((count, known) => count + known, 0),
    sessions: sessions.filter((_, n) => n % step === 0),
  }
}

/** Measures a model on prepared sessions. */
export function evaluateCases(
  model: Pick<Model, 'recommend'>,
  { sessions, trainItemCount }: SessionCases,
  { k, signal, onProgress }: EvaluateSessionsOptions,
): SessionEvaluation {
  const totals = new ClusterMeans(METRICS.length, sessions.length)
  const reciprocalRanks = new Float64Array(sessions.reduce((sum, { items }) => sum + items.length - 1, 0))
  const shown = new Set<number>()
  const values = new Float64Array(METRICS.length)
  const filter = () => true
  let prediction = 0
  for (const [n, session] of sessions.entries()) {
    if (n % PROGRESS_STEP === 0) {
      signal?.throwIfAborted()
      onProgress?.(n / sessions.length)
    }
    for (let next = session.items.length - 2; next >= 0; next--) {
      const answer = model.recommend(prefixOf(session, next), { k, filter })
      measure(answer, session.items.subarray(0, next + 1), k, values)
      for (const item of answer.items) shown.add(item)
      reciprocalRanks[prediction++] = values[1]!
      totals.add(values)
    }
    totals.endCluster()
  }
  onProgress?.(1)
  const named = <T>(values: ArrayLike<T>) =>
    Object.fromEntries(METRICS.map((name, n) => [`${name}@${k}`, values[n]!]))
  return {
    metrics: {
      ...named(totals.means()),
      [`coverage@${k}`]: trainItemCount === 0 ? 0 : shown.size / trainItemCount,
    },
    halfWidths: named(totals.halfWidths()),
    predictionCount: prediction,
    reciprocalRanks,
    bySession: named(totals.clusters()),
  }
}

function sessionsOf(events: SessionEvents): UserItems[] {
  const { starts, items, weights } = orderSessions(events)
  return Array.from({ length: starts.length - 1 }, (_, n) => ({
    items: items.subarray(starts[n], starts[n + 1]),
    weights: weights.subarray(starts[n], starts[n + 1]),
  }))
}

/** What was known before the event at `next`. */
function prefixOf({ items, weights }: UserItems, next: number): UserItems {
  return { items: items.subarray(next + 1), weights: weights.subarray(next + 1) }
}

/** `future` is newest first, so the next item is its last. */
function measure({ items }: ScoredItems, future: Uint32Array, k: number, values: Float64Array): void {
  const rank = items.indexOf(future.at(-1)!) + 1
  const wanted = new Set(future)
  let hits = 0
  let gain = 0
  let precision = 0
  for (let place = 0; place < items.length; place++) {
    if (!wanted.has(items[place]!)) continue
    hits += 1
    gain += 1 / Math.log2(place + 2)
    precision += hits / (place + 1)
  }
  let ideal = 0
  for (let place = 0; place < Math.min(k, wanted.size); place++) ideal += 1 / Math.log2(place + 2)
  values[0] = rank > 0 ? 1 : 0
  values[1] = rank > 0 ? 1 / rank : 0
  values[2] = hits / wanted.size
  values[3] = ideal === 0 ? 0 : gain / ideal
  values[4] = k < 1 ? 0 : precision / Math.min(k, wanted.size)
}

/** Means of values that come in clusters, with the sandwich estimate of their error (Liang and Zeger, Biometrika 1986). */
class ClusterMeans {
  /** Sums of each value by cluster. */
  readonly #clusterSums: readonly Float64Array[]
  readonly #sizes: Float64Array
  #cluster = 0

  constructor(width: number, clusterCount: number) {
    this.#clusterSums = Array.from({ length: width }, () => new Float64Array(clusterCount))
    this.#sizes = new Float64Array(clusterCount)
  }

  add(values: Float64Array): void {
    for (let n = 0; n < values.length; n++) this.#clusterSums[n]![this.#cluster]! += values[n]!
    this.#sizes[this.#cluster]! += 1
  }

  endCluster(): void {
    this.#cluster += 1
  }

  clusters(): UnitScores[] {
    return this.#clusterSums.map((values) => ({ values, sizes: this.#sizes }))
  }

  means(): Float64Array {
    const count = sumOf(this.#sizes)
    return Float64Array.from(this.#clusterSums, (sums) => (count === 0 ? 0 : sumOf(sums) / count))
  }

  halfWidths(): Float64Array {
    // Σ over clusters (sum − mean · size)², over the square of the count.
    const count = sumOf(this.#sizes)
    return this.means().map((mean, n) => {
      const spread = this.#clusterSums[n]!.reduce(
        (total, sum, cluster) => total + (sum - mean * this.#sizes[cluster]!) ** 2,
        0,
      )
      return count === 0 ? 0 : (1.96 * Math.sqrt(spread)) / count
    })
  }
}

function sumOf(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
