import type { SparseMatrix } from '../sparse-matrix.ts'
import type { DenseMatrix, Kernels, LeastSquares } from './kernels.ts'

/** The kernels in TypeScript: what those in WebAssembly are held to, and what runs where these cannot. */
export function plainKernels(): Kernels {
  return PLAIN
}

const PLAIN: Kernels = {
  name: 'plain',
  dense: (rowCount, width) => ({ rowCount, width, values: new Float32Array(rowCount * width) }),
  sparse: (matrix) => matrix,
  floats: (length) => new Float32Array(length),
  indexes: (length) => new Uint32Array(length),
  sparseTimesDense,
  gram,
  multiply,
  dotsOf,
  cholesky,
  solve,
  inverse,
  leastSquares,
}

function sparseTimesDense(matrix: SparseMatrix, dense: DenseMatrix, out: DenseMatrix): void {
  const { rowCount, starts, columns, values } = matrix
  const { width } = dense
  for (let row = 0; row < rowCount; row++) {
    const target = out.values.subarray(row * width, (row + 1) * width).fill(0)
    for (let n = starts[row]!; n < starts[row + 1]!; n++)
      addScaled(target, values[n]!, dense.values, columns[n]! * width)
  }
}

function gram({ rowCount, width, values }: DenseMatrix, out: DenseMatrix): void {
  out.values.fill(0)
  for (let row = 0; row < rowCount; row++)
    for (let i = 0; i < width; i++)
      addScaled(
        out.values.subarray(i * width, (i + 1) * width),
        values[row * width + i]!,
        values,
        row * width,
      )
}

function multiply({ rowCount, width, values }: DenseMatrix, other: DenseMatrix, out: DenseMatrix): void {
  for (let row = 0; row < rowCount; row++) {
    const target = out.values.subarray(row * other.width, (row + 1) * other.width).fill(0)
    for (let i = 0; i < width; i++) addScaled(target, values[row * width + i]!, other.values, i * other.width)
  }
}

function dotsOf(
  vector: Float32Array,
  { width, values }: DenseMatrix,
  rows: Uint32Array,
  count: number,
  out: Float32Array,
): void {
  for (let n = 0; n < count; n++) {
    const from = rows[n]! * width
    let sum = 0
    for (let i = 0; i < width; i++) sum += vector[i]! * values[from + i]!
    out[n] = sum
  }
}

function cholesky({ rowCount, width, values }: DenseMatrix): number {
  for (let i = 0; i < rowCount; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = values[i * width + j]!
      for (let k = 0; k < j; k++) sum -= values[i * width + k]! * values[j * width + k]!
      if (i === j && !(sum > 0)) return i
      values[i * width + j] = i === j ? Math.sqrt(sum) : sum / values[j * width + j]!
    }
  }
  return rowCount
}

function solve({ rowCount, width, values }: DenseMatrix, vector: Float32Array): void {
  for (let i = 0; i < rowCount; i++) {
    let sum = vector[i]!
    for (let k = 0; k < i; k++) sum -= values[i * width + k]! * vector[k]!
    vector[i] = sum / values[i * width + i]!
  }
  for (let i = rowCount - 1; i >= 0; i--) {
    let sum = vector[i]!
    for (let k = i + 1; k < rowCount; k++) sum -= values[k * width + i]! * vector[k]!
    vector[i] = sum / values[i * width + i]!
  }
}

/** Row after row instead of blocks. */
function inverse({ rowCount, width, values }: DenseMatrix): void {
  for (let k = 0; k < rowCount; k++) {
    const pivotRow = values.subarray(k * width, (k + 1) * width)
    const reciprocal = 1 / pivotRow[k]!
    pivotRow[k] = 1
    for (let j = 0; j < rowCount; j++) pivotRow[j]! *= reciprocal
    for (let i = 0; i < rowCount; i++) {
      if (i === k) continue
      const target = values.subarray(i * width, i * width + rowCount)
      const factor = target[k]!
      target[k] = 0
      addScaled(target, -factor, pivotRow, 0)
    }
  }
}

function leastSquares(
  { rowCount, starts, columns, values }: SparseMatrix,
  { factors, gram: squares, ridges, steps }: LeastSquares,
  out: DenseMatrix,
): void {
  const { width } = factors
  const rowOf = (matrix: Float32Array, row: number) => matrix.subarray(row * width, (row + 1) * width)
  for (let row = 0; row < rowCount; row++) {
    const x = rowOf(out.values, row)
    /** (G + λ + Σ c y yᵀ) × vector. */
    const applied = (vector: Float32Array) => {
      const product = vector.map((value) => ridges[row]! * value)
      for (let i = 0; i < width; i++) addScaled(product, vector[i]!, squares.values, i * width)
      for (let n = starts[row]!; n < starts[row + 1]!; n++) {
        const factor = rowOf(factors.values, columns[n]!)
        addScaled(product, values[n]! * dot(factor, vector), factor, 0)
      }
      return product
    }
    const residual = applied(x).map((value) => -value)
    for (let n = starts[row]!; n < starts[row + 1]!; n++)
      addScaled(residual, values[n]!, factors.values, columns[n]! * width)
    const direction = residual.slice()
    for (let step = 0; step < steps; step++) {
      const before = dot(residual, residual)
      if (before === 0) break
      const product = applied(direction)
      const length = before / dot(direction, product)
      addScaled(x, length, direction, 0)
      addScaled(residual, -length, product, 0)
      const ratio = dot(residual, residual) / before
      for (let i = 0; i < width; i++) direction[i] = residual[i]! + ratio * direction[i]!
    }
  }
}

function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0
  for (let i = 0; i < left.length; i++) sum += left[i]! * right[i]!
  return sum
}

/** target += factor × the floats of `source` from a place on. */
function addScaled(target: Float32Array, factor: number, source: Float32Array, from: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source[from + i]!
}
