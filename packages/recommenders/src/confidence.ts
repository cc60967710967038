import type { SparseMatrix } from './sparse-matrix.ts'

/** Weights that count: sums of as many as there can be do not overflow float32. */
export const WEIGHT_MAX = 1e24

/** False for what is not a number, or so large that sums of it are none. */
export function doesCount(weight: number): boolean {
  return Math.abs(weight) <= WEIGHT_MAX
}

/** 1 + ln(weight); weights below 1 (old events, see `withTimeDecay`) count as they are. */
export function confidenceOf(weight: number): number {
  return weight > 1 ? 1 + Math.log(weight) : weight
}

/** Each weight as `confidenceOf` it. */
export function withLogWeights(matrix: SparseMatrix): SparseMatrix {
  return { ...matrix, values: matrix.values.map(confidenceOf) }
}
