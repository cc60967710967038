import { evaluate } from './evaluate.ts'
import { fitFilter, type LowPassOptions } from './low-pass.ts'
import { LowPassModel } from './low-pass-model.ts'
import type { FitSignal, Interactions, Model } from './model.ts'
import { fitPopular } from './ranking-model.ts'
import type { Split } from './splits.ts'
import { userTimelines } from './timelines.ts'
import { fitNeighbours, fitWalk, type WalkOptions, withLogWeights } from './walk.ts'

/** A model that was tried on validation data. */
export interface Tried {
  readonly kind: string
  readonly options: WalkOptions | LowPassOptions
  readonly metrics: Readonly<Record<string, number>>
}

/** The best options of each kind, and the kind that ranked best of all. */
export interface Tuned {
  readonly kind: 'popular' | 'walk' | 'low-pass'
  readonly walk: WalkOptions
  readonly lowPass: LowPassOptions
  readonly tried: readonly Tried[]
}

const END_EXPONENTS = [0.4, 0.2, 0.6]
const USER_EXPONENTS = [0.2, 0.8]
const FILTER_WEIGHTS = [0.35, 0.15, 0.7]
/** Floats of item vectors at most (128 MB): large catalogues get fewer of them. */
const VECTOR_FLOATS_MAX = 32_000_000
const RANK_MAX = 512
const RANK_MIN = 16
/** The filter lets pass one frequency of so many at most: one that lets all pass filters nothing. */
const FREQUENCIES_PER_RANK = 8

/**
 * Searches models and their options on validation data, by nDCG: the walk's exponents one after the other, then the
 * walk and the weight of a low-pass model. Nothing but `split` is looked at: keep what the final figure is
 * measured on out of it.
 */
export function tune(
  split: Split,
  options: FitSignal & { readonly k: number; readonly userLimit?: number },
): Tuned {
  const search = new Search(split, options)
  search.try('popular', {}, fitPopular(split.train))
  let walk: WalkOptions = search.bestWalk(END_EXPONENTS.map((endExponent) => ({ endExponent })))
  walk = search.bestWalk([walk, ...USER_EXPONENTS.map((userExponent) => ({ ...walk, userExponent }))])
  const lowPass = search.bestLowPass(walk, rankFor(split.train))
  options.onProgress?.(1)
  const best = search.tried.reduce((winner, one) =>
    search.ndcgOf(one) > search.ndcgOf(winner) ? one : winner,
  )
  return { kind: best.kind as Tuned['kind'], walk, lowPass, tried: search.tried }
}

function rankFor({ userCount, itemCount }: Interactions): number {
  const limits = [
    RANK_MAX,
    VECTOR_FLOATS_MAX / itemCount,
    Math.min(userCount, itemCount) / FREQUENCIES_PER_RANK,
  ]
  return Math.max(RANK_MIN, Math.floor(Math.min(...limits)))
}

class Search {
  readonly tried: Tried[] = []
  readonly #split: Split
  readonly #options: FitSignal & { readonly k: number; readonly userLimit?: number }
  /** nDCG of walks by their options, so that none is fitted twice. */
  readonly #walks = new Map<WalkOptions, number>()

  constructor(split: Split, options: FitSignal & { readonly k: number; readonly userLimit?: number }) {
    this.#split = split
    this.#options = options
  }

  /** nDCG of a fitted model. */
  try(kind: string, options: Tried['options'], model: Model): number {
    const { k, userLimit, signal, onProgress } = this.#options
    const { metrics } = evaluate(model, this.#split, k, {
      ...(signal ? { signal } : {}),
      ...(userLimit === undefined ? {} : { userLimit }),
    })
    const one = { kind, options, metrics }
    this.tried.push(one)
    onProgress?.(this.tried.length / TRIALS)
    return this.ndcgOf(one)
  }

  bestWalk(candidates: readonly WalkOptions[]): WalkOptions {
    for (const candidate of candidates) {
      if (this.#walks.has(candidate)) continue
      const walk = fitWalk(this.#split.train, candidate, signalOf(this.#options))
      this.#walks.set(candidate, this.try('walk', candidate, walk))
    }
    return candidates.reduce((best, one) => (this.#walks.get(one)! > this.#walks.get(best)! ? one : best))
  }

  bestLowPass(walk: WalkOptions, rank: number): LowPassOptions {
    const byUser = withLogWeights(userTimelines(this.#split.train))
    const signal = signalOf(this.#options)
    const neighbours = fitNeighbours(byUser, walk, signal)
    const filter = fitFilter(byUser, { rank }, signal)
    const found = FILTER_WEIGHTS.map((filterWeight) => {
      const options: LowPassOptions = { walk, rank, filterWeight }
      return {
        options,
        ndcg: this.try('low-pass', options, LowPassModel.of(neighbours, filter, filterWeight)),
      }
    })
    return found.reduce((best, one) => (one.ndcg > best.ndcg ? one : best)).options
  }

  ndcgOf({ metrics }: Tried): number {
    return metrics[`ndcg@${this.#options.k}`] ?? 0
  }
}

const TRIALS = 1 + END_EXPONENTS.length + USER_EXPONENTS.length + FILTER_WEIGHTS.length

/** The way to stop, without the progress of each part. */
function signalOf({ signal }: FitSignal): FitSignal {
  return signal ? { signal } : {}
}
