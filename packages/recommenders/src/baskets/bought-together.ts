import { coOccurrence, type PairScore } from '../co-occurrence.ts'
import type { FitSignal } from '../model.ts'
import { NeighbourModel } from '../neighbour-model.ts'
import { assertOptions } from '../options.ts'
import { type Baskets, basketMatrix } from './baskets.ts'

export interface BoughtTogetherOptions {
  /** h: the larger, the less pairs of rare products count. */
  readonly shrinkage?: number
  /** Baskets that must have both. */
  readonly pairCountMin?: number
  /** G² that a pair must reach; 10.83 is passed by one in a thousand pairs that have nothing to do with each other. */
  readonly ratioMin?: number
  readonly neighbourCount?: number
}

const DEFAULTS = { shrinkage: 100, pairCountMin: 2, ratioMin: 10.83, neighbourCount: 100 } as const

/**
 * Products that go into the same baskets more often than chance would put them there. Which do, the likelihood ratio of independence
 * tells, G² (Dunning: "Accurate Methods for the Statistics of Surprise and Coincidence", Computational Linguistics 1993, §4), which
 * holds for rare products too, where χ² does not. How much, with n_ij baskets of both and E = n_i n_j / n expected:
 *
 *   S_ij = (n_ij + h) / (E + h) - 1 = (n_ij - E) / (E + h)
 *
 * the mean of n_ij / E after what was seen, where it is Gamma(h, h) before (DuMouchel: "Bayesian Data Mining in Large
 * Frequency Tables", The American Statistician 1999, §3, of one component), less the 1 of chance. Asked with a cart, `recommend`
 * adds up what goes with its products. Cost: Σ_b |b|² additions.
 */
export function fitBoughtTogether(
  baskets: Baskets,
  options: BoughtTogetherOptions = {},
  signal: FitSignal = {},
): NeighbourModel {
  const params = { ...DEFAULTS, ...options }
  assertOptions(params, {
    shrinkage: 'not negative',
    pairCountMin: 'count',
    ratioMin: 'not negative',
    neighbourCount: 'count',
  })
  const { shrinkage, pairCountMin, ratioMin, neighbourCount } = params
  const matrix = basketMatrix(baskets)
  const total = matrix.rowCount
  const counts = new Uint32Array(matrix.columnCount)
  for (const item of matrix.columns) counts[item]! += 1
  const pairScore: PairScore = (both, item, other) => {
    const [one, two] = [counts[item]!, counts[other]!]
    const expected = (one * two) / total
    if (both < pairCountMin || both <= expected) return 0
    if (likelihoodRatio({ both, one, two, total }) < ratioMin) return 0
    return (both - expected) / (expected + shrinkage)
  }
  return new NeighbourModel(
    'bought-together',
    coOccurrence(matrix, { neighbourCount, pairScore }, signal),
    params,
  )
}

/** How often two things happened, together and each, of `total` times. */
export interface PairCounts {
  readonly both: number
  readonly one: number
  readonly two: number
  readonly total: number
}

/**
 * G² = 2 Σ O ln(O / E) over the four cells of the table of two events, E what independence would let expect (Dunning 1993, §4): above
 * 0 in either direction, χ² of one degree of freedom where the two are independent.
 */
export function likelihoodRatio({ both, one, two, total }: PairCounts): number {
  const cell = (observed: number, row: number, column: number) =>
    observed === 0 ? 0 : observed * Math.log((observed * total) / (row * column))
  const sum =
    cell(both, one, two) +
    cell(one - both, one, total - two) +
    cell(two - both, total - one, two) +
    cell(total - one - two + both, total - one, total - two)
  return Math.max(0, 2 * sum)
}
