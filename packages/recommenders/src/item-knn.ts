import { coOccurrence, overNorms } from './co-occurrence.ts'
import { RecommenderError } from './errors.ts'
import { withLogWeights } from './log-weights.ts'
import type { FitSignal, Interactions } from './model.ts'
import { NeighbourModel } from './neighbour-model.ts'
import { assertOptions } from './options.ts'
import { degreesOf, type SparseMatrix, transpose } from './sparse-matrix.ts'
import { userTimelines } from './timelines.ts'

export interface ItemKnnOptions {
  readonly weighting?: 'cosine' | 'tf-idf' | 'bm25'
  /** Added to the divisor: pairs seen together by few lose. Not used by `bm25`, which divides by nothing. */
  readonly shrinkage?: number
  readonly neighbourCount?: number
}

/** Saturation and length normalisation of BM25; gentler than for text, since an interaction is seldom repeated. */
const SATURATION = 1.2
const LENGTH_SHARE = 0.5
/** How `weighting` is told in a model file, whose parameters are numbers. */
const WEIGHTINGS = ['cosine', 'tf-idf', 'bm25'] as const

/**
 * Item neighbours by the users they share (Sarwar, Karypis, Konstan, Riedl: "Item-Based Collaborative Filtering
 * Recommendation Algorithms", WWW 2001, §3.1.1), with x_i the vector of an item over users:
 *
 *   cosine, tf-idf: S_ij = x_i · x_j / (|x_i| |x_j| + h);  bm25: S_ij = x_i · x_j
 *
 * x_ui = 1 + ln(weight), times idf_u = ln(1 + n / d_u) for `tf-idf` (Salton and Buckley 1988), or BM25 with the items as
 * documents and the users as terms (Robertson and Zaragoza: "The Probabilistic Relevance Framework", 2009, eq. 3.15).
 * h is the shrinkage (Bell and Koren: "Scalable Collaborative Filtering with Jointly Derived Neighborhood Interpolation
 * Weights", ICDM 2007, eq. 5, here in the divisor). Cost: Σ_u d_u² multiplications.
 */
export function fitItemKnn(
  interactions: Interactions,
  options: ItemKnnOptions = {},
  signal: FitSignal = {},
): NeighbourModel {
  const { weighting = 'cosine', shrinkage = 10, neighbourCount = 200 } = options
  assertOptions({ shrinkage, neighbourCount }, { shrinkage: 'not negative', neighbourCount: 'count' })
  if (!WEIGHTINGS.includes(weighting))
    throw new RecommenderError(
      'MODEL_INPUT_INVALID',
      `weighting must be one of ${WEIGHTINGS.join(', ')}, found ${String(weighting)}`,
    )
  const weighted = weightedBy(weighting, withLogWeights(userTimelines(interactions)))
  const norms =
    weighting === 'bm25' ? new Float32Array(interactions.itemCount).fill(1) : lengthsOf(transpose(weighted))
  const matrix = coOccurrence(
    weighted,
    { neighbourCount, pairScore: overNorms(norms, norms, weighting === 'bm25' ? 0 : shrinkage) },
    signal,
  )
  return new NeighbourModel('item-knn', matrix, {
    weighting: WEIGHTINGS.indexOf(weighting),
    shrinkage,
    neighbourCount,
  })
}

function weightedBy(weighting: NonNullable<ItemKnnOptions['weighting']>, byUser: SparseMatrix): SparseMatrix {
  if (weighting === 'cosine') return byUser
  const { rowCount, columnCount, starts, columns } = byUser
  const userDegrees = degreesOf(byUser)
  const itemDegrees = degreesOf(transpose(byUser))
  const meanLength = Math.max(1, columns.length / Math.max(1, columnCount))
  const values = byUser.values.slice()
  for (let user = 0; user < rowCount; user++) {
    const degree = userDegrees[user]!
    const idf =
      weighting === 'tf-idf'
        ? Math.log(1 + columnCount / degree)
        : Math.log(1 + (columnCount - degree + 0.5) / (degree + 0.5))
    for (let n = starts[user]!; n < starts[user + 1]!; n++) {
      const length = itemDegrees[columns[n]!]! / meanLength
      const frequency =
        weighting === 'tf-idf'
          ? values[n]!
          : (values[n]! * (SATURATION + 1)) /
            (values[n]! + SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length))
      values[n] = idf * frequency
    }
  }
  return { ...byUser, values }
}

/** Euclidean length of each row. */
function lengthsOf({ rowCount, starts, values }: SparseMatrix): Float32Array {
  return Float32Array.from({ length: rowCount }, (_, row) => {
    let sum = 0
    for (let n = starts[row]!; n < starts[row + 1]!; n++) sum += values[n]! ** 2
    return Math.sqrt(sum) || 1
  })
}
