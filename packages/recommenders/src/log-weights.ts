import type { SparseMatrix } from './sparse-matrix.ts'

/** 1 + ln(weight); weights below 1 (old events, see `withTimeDecay`) count as they are. */
export function confidenceOf(weight: number): number {
  return weight > 1 ? 1 + Math.log(weight) : weight
}

/** Each weight as `confidenceOf` it. */
export function withLogWeights(matrix: SparseMatrix): SparseMatrix {
  return { ...matrix, values: matrix.values.map(confidenceOf) }
}
