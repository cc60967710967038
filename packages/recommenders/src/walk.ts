import { coOccurrence, overNorms } from './co-occurrence.ts'
import { withLogWeights } from './log-weights.ts'
import type { FitSignal, Interactions } from './model.ts'
import { NeighbourModel } from './neighbour-model.ts'
import { assertOptions } from './options.ts'
import { degreesOf, type SparseMatrix, transpose } from './sparse-matrix.ts'
import { userTimelines } from './timelines.ts'

export interface WalkOptions {
  /** Exponent of the degree of the item the walk starts from. */
  readonly startExponent?: number
  /** Exponent of the degree of the user it passes. */
  readonly userExponent?: number
  /** Exponent of the degree of the item it ends at: the higher, the less popular items gain. */
  readonly endExponent?: number
  /** Items far apart in a user's order of time count (1 + places apart)^-this. */
  readonly proximityExponent?: number
  /** Weight of steps to an older item beside those to a newer one. */
  readonly backwardWeight?: number
  /** Neighbours kept of each item. */
  readonly neighbourCount?: number
}

const DEFAULTS = {
  startExponent: 0.5,
  userExponent: 0.5,
  endExponent: 0.4,
  proximityExponent: 0,
  backwardWeight: 1,
  neighbourCount: 200,
} as const

const RANGES = {
  startExponent: 'not negative',
  userExponent: 'not negative',
  endExponent: 'not negative',
  proximityExponent: 'not negative',
  backwardWeight: 'not negative',
  neighbourCount: 'count',
} as const

/**
 * Random walk of three steps on the graph of users and items, as an item–item matrix:
 *
 *   S_ij = Σ_u a_ui a_uj w(p_ui - p_uj) / (d_i^α · d_u^γ · d_j^β)
 *
 * with a_ui = 1 + ln(weight) of the interaction (1 for a weight of 1, see `confidenceOf`) and d the degrees. α = γ = 1, β = 0 is P³ (Cooper, Lee, Radzik, Siantos: "Random Walks in Recommender
 * Systems", WWW 2014, §3; here a walk from an item, §3.1's P³ being one from a user's items); β > 0 is RP³β (Paudel,
 * Christoffel, Newell, Bernstein: "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive
 * Applications", TiiS 2017, eq. 5). w = (1 + |p_ui - p_uj|)^-ρ, ours, lets what follows closely in time count more, as session
 * neighbours do (Ludewig and Jannach, UMUAI 2018, §3.2); ρ = 0 is the walk of the papers. Only the best neighbours of each
 * item are kept. Cost: Σ_u d_u² multiplications.
 */
export function fitWalk(
  interactions: Interactions,
  options: WalkOptions = {},
  signal: FitSignal = {},
): NeighbourModel {
  const params = { ...DEFAULTS, ...options }
  const byUser = withLogWeights(userTimelines(interactions))
  return new NeighbourModel('walk', fitNeighbours(byUser, params, signal), params)
}

/** The walk's item–item matrix, from users × items, newest first; see `fitWalk`. */
export function fitNeighbours(byUser: SparseMatrix, options: WalkOptions, signal: FitSignal): SparseMatrix {
  const params = { ...DEFAULTS, ...options }
  assertOptions(params, RANGES)
  const { startExponent, userExponent, endExponent, neighbourCount } = params
  const degrees = degreesOf(transpose(byUser))
  return coOccurrence(
    withUserFactors(byUser, userExponent),
    {
      neighbourCount,
      pairScore: overNorms(
        degrees.map((degree) => degree ** startExponent),
        degrees.map((degree) => degree ** endExponent),
      ),
      proximity: { exponent: params.proximityExponent, backward: params.backwardWeight },
    },
    signal,
  )
}

/** a_ui / d_u^(γ/2): the product of two is what a walk through the user weighs. */
function withUserFactors(byUser: SparseMatrix, userExponent: number): SparseMatrix {
  const values = byUser.values.slice()
  const degrees = degreesOf(byUser)
  for (let user = 0; user < byUser.rowCount; user++) {
    const factor = degrees[user]! ** (-userExponent / 2)
    for (let n = byUser.starts[user]!; n < byUser.starts[user + 1]!; n++) values[n]! *= factor
  }
  return { ...byUser, values }
}
