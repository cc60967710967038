import { type DenseMatrix, type Kernels, widthOf } from './kernels/kernels.ts'
import type { FitSignal } from './model.ts'
import { seededNormal } from './seeded-random.ts'
import { type SparseMatrix, transpose } from './sparse-matrix.ts'

/**
 * Orthonormal vectors that span what the leading right singular vectors of a sparse matrix span, nearly: `rank` columns (cut
 * to what the matrix can have; those beyond hold zeros), one row for each column of the matrix, in the memory of
 * `kernels`. Randomised subspace iteration (Halko, Martinsson, Tropp: "Finding Structure with Randomness", SIAM Review
 * 2011, algorithm 4.4), orthonormal after each step. Which singular vector is which is not told: a projection does not ask.
 */
export function leadingSubspace(
  kernels: Kernels,
  matrix: SparseMatrix,
  { rank, iterations, seed, signal }: SubspaceOptions,
): DenseMatrix {
  const columnCount = Math.min(rank, matrix.rowCount, matrix.columnCount)
  const width = widthOf(columnCount)
  const rows = kernels.sparse(matrix)
  const columns = kernels.sparse(transpose(matrix))
  const left = kernels.dense(matrix.rowCount, width)
  let right = kernels.dense(matrix.columnCount, width)
  let spare = kernels.dense(matrix.columnCount, width)
  const small = { gram: kernels.dense(width, width), factor: kernels.dense(width, width) }
  const normal = seededNormal(seed)
  for (let row = 0; row < matrix.columnCount; row++)
    for (let column = 0; column < columnCount; column++) right.values[row * width + column] = normal()
  for (let step = 0; step < iterations; step++) {
    signal.signal?.throwIfAborted()
    signal.onProgress?.(step / iterations)
    kernels.sparseTimesDense(rows, right, left)
    kernels.sparseTimesDense(columns, left, right)
    orthonormalise(kernels, right, { ...small, out: spare })
    ;[right, spare] = [spare, right]
  }
  signal.onProgress?.(1)
  return right
}

interface SubspaceOptions {
  readonly rank: number
  /** At least 1: how often the matrix and its transpose are applied. */
  readonly iterations: number
  readonly seed: number
  readonly signal: FitSignal
}

/** What is less than this, squared and relative, of a column is not told apart from the columns before it in float32. */
const DEPENDENT = 1e-6

/**
 * Orthonormal columns that span the same space, by the Cholesky factor of the Gram matrix (Golub and Van Loan, §5.2.8);
 * a column that depends on those before it becomes zero.
 */
function orthonormalise(
  kernels: Kernels,
  matrix: DenseMatrix,
  {
    gram,
    factor,
    out,
  }: { readonly gram: DenseMatrix; readonly factor: DenseMatrix; readonly out: DenseMatrix },
): void {
  kernels.gram(matrix, gram)
  const { width } = matrix
  const lower = choleskyOf(gram.values, width)
  factor.values.fill(0)
  // Columns of the inverse of the transposed factor, by substitution.
  for (let column = 0; column < width; column++) {
    if (lower[column * width + column] === 0) continue
    const inverse = new Float64Array(width)
    inverse[column] = 1 / lower[column * width + column]!
    for (let row = column - 1; row >= 0; row--) {
      if (lower[row * width + row] === 0) continue
      let sum = 0
      for (let i = row + 1; i <= column; i++) sum += lower[i * width + row]! * inverse[i]!
      inverse[row] = -sum / lower[row * width + row]!
    }
    for (let row = 0; row <= column; row++) factor.values[row * width + column] = inverse[row]!
  }
  kernels.multiply(matrix, factor, out)
}

/** The lower Cholesky factor of a positive semi-definite matrix; zeros in the columns of pivots that vanish. */
function choleskyOf(matrix: Float32Array, size: number): Float64Array {
  const lower = new Float64Array(size * size)
  for (let column = 0; column < size; column++) {
    const own = matrix[column * size + column]!
    let pivot = own
    for (let k = 0; k < column; k++) pivot -= lower[column * size + k]! ** 2
    if (pivot <= own * DEPENDENT || pivot <= 0) continue
    const root = Math.sqrt(pivot)
    lower[column * size + column] = root
    for (let row = column + 1; row < size; row++) {
      let sum = matrix[row * size + column]!
      for (let k = 0; k < column; k++) sum -= lower[row * size + k]! * lower[column * size + k]!
      lower[row * size + column] = sum / root
    }
  }
  return lower
}
