import type { SparseMatrix } from '../sparse-matrix.ts'

/** Rows of `width` floats, one after the other, in memory that the kernels gave. Width is a multiple of `WIDTH_STEP`. */
export interface DenseMatrix {
  readonly rowCount: number
  readonly width: number
  readonly values: Float32Array
}

/** What the width of a dense matrix is a multiple of; the columns that are too many hold zeros. */
export const WIDTH_STEP = 16

/**
 * The loops in which training and ranking spend their time, float32, and the memory that their arrays lie in: arrays
 * from elsewhere must be copied there first. Its size only grows; it goes when nothing refers to the kernels any more.
 */
export interface Kernels {
  /** `wasm` (relaxed SIMD) or `plain` (TypeScript); the two differ in rounding only. */
  readonly name: 'wasm' | 'plain'
  dense(rowCount: number, width: number): DenseMatrix
  /** A copy of the matrix. */
  sparse(matrix: SparseMatrix): SparseMatrix
  floats(length: number): Float32Array
  indexes(length: number): Uint32Array
  /** out = matrix × dense. */
  sparseTimesDense(matrix: SparseMatrix, dense: DenseMatrix, out: DenseMatrix): void
  /** out = matrixᵀ × matrix, `width` × `width`. */
  gram(matrix: DenseMatrix, out: DenseMatrix): void
  /** out = matrix × other; `other` has as many rows as `matrix` is wide. */
  multiply(matrix: DenseMatrix, other: DenseMatrix, out: DenseMatrix): void
  /** out[n] = vector · row `rows[n]` of the matrix, for the first `count`. */
  dotsOf(vector: Float32Array, matrix: DenseMatrix, rows: Uint32Array, count: number, out: Float32Array): void
  /**
   * Puts the lower Cholesky factor in place of a positive definite matrix of `rowCount` rows and columns (what is above the
   * diagonal is left as it was). Answers how many rows it did: less than all where the matrix is not positive definite.
   */
  cholesky(matrix: DenseMatrix): number
  /** Puts the solution of L Lᵀ x = vector in place of `vector`, for a factor that `cholesky` made. */
  solve(factor: DenseMatrix, vector: Float32Array): void
  /**
   * Puts the inverse in place of a positive definite matrix of `rowCount` rows and columns, by Gauss–Jordan elimination in blocks
   * without pivoting (stable for such matrices: Higham, "Accuracy and Stability of Numerical Algorithms", 2002, §14.4).
   */
  inverse(matrix: DenseMatrix): void
  /**
   * Moves each row x of `out` towards the minimum of Σ_m c_m (1 - y_m · x)² + xᵀ G x + λ |x|², by steps of conjugate
   * gradients (Hestenes and Stiefel 1952) from where it is; c and y are the row's values in `matrix` and the rows of
   * `factors` they name.
   */
  leastSquares(matrix: SparseMatrix, problem: LeastSquares, out: DenseMatrix): void
}

/** What the rows of `leastSquares` share, all in the memory of the kernels. */
export interface LeastSquares {
  readonly factors: DenseMatrix
  /** G, `width` × `width`, symmetric. */
  readonly gram: DenseMatrix
  /** λ of each row. */
  readonly ridges: Float32Array
  readonly steps: number
}

/** The smallest width that a dense matrix of so many columns may have. */
export function widthOf(columnCount: number): number {
  return Math.max(1, Math.ceil(columnCount / WIDTH_STEP)) * WIDTH_STEP
}
