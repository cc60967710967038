import type { SparseMatrix } from '../sparse-matrix.ts'
import type { DenseMatrix, Kernels } from './kernels.ts'

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

/** target += factor × the floats of `source` from a place on. */
function addScaled(target: Float32Array, factor: number, source: Float32Array, from: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source[from + i]!
}
