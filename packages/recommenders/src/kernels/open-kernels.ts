import type { DenseMatrix, Kernels } from './kernels.ts'
import { plainKernels } from './plain.ts'
import { wasmKernels } from './wasm.ts'

/** New kernels, in WebAssembly where the runtime has relaxed SIMD and shared memory, else in TypeScript. */
export function openKernels(): Kernels {
  return wasmKernels() ?? plainKernels()
}

/** A copy in a memory of its own: that in which a matrix was found is several times as large, and would live as long as it does. */
export function inOwnMemory({ rowCount, width, values }: DenseMatrix): {
  readonly kernels: Kernels
  readonly matrix: DenseMatrix
} {
  const kernels = openKernels()
  const matrix = kernels.dense(rowCount, width)
  matrix.values.set(values)
  return { kernels, matrix }
}
