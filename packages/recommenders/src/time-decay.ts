import type { Interactions } from './model.ts'
import { assertOptions } from './options.ts'

export interface TimeDecayOptions {
  /** An interaction of this age weighs half. */
  readonly halfLifeMs: number
  /** From when ages are counted. Default: the time of the newest interaction. */
  readonly nowMs?: number
}

/**
 * The same interactions, each weight times 2^(-age / half-life), for any model: weights below 1 count as they are, those
 * above by their logarithm. (Exponential decay as of Ding and Li, "Time Weight Collaborative Filtering", CIKM 2005, eq. 5.) What is newer than `nowMs` has no age. Throws
 * `MODEL_INPUT_INVALID`.
 */
export function withTimeDecay(interactions: Interactions, options: TimeDecayOptions): Interactions {
  const { halfLifeMs, nowMs = newestOf(interactions.timesMs) } = options
  assertOptions({ halfLifeMs }, { halfLifeMs: 'above 0' })
  const weights = interactions.weights.map((weight, n) => {
    const ageMs = Math.max(0, nowMs - interactions.timesMs[n]!)
    return weight * 2 ** (-ageMs / halfLifeMs)
  })
  return { ...interactions, weights }
}

function newestOf(timesMs: Float64Array): number {
  let newestMs = Number.NEGATIVE_INFINITY
  for (const timeMs of timesMs) newestMs = Math.max(newestMs, timeMs)
  return newestMs
}
