import { readFileSync } from 'node:fs'
import type { SparseMatrix } from '../sparse-matrix.ts'
import type { DenseMatrix, Kernels, LeastSquares } from './kernels.ts'

const PAGE_BYTES = 65_536
/** As the module declares: 4 GiB. */
const PAGES_MAX = 65_536
const ALIGNMENT = 64

/** What `assembly/kernels.ts` exports; pointers are places in its memory. */
interface Exports {
  sparseTimesDense(
    starts: number,
    columns: number,
    values: number,
    rowCount: number,
    dense: number,
    width: number,
    out: number,
  ): void
  gram(matrix: number, rowCount: number, width: number, out: number): void
  multiply(
    matrix: number,
    rowCount: number,
    width: number,
    other: number,
    otherWidth: number,
    out: number,
  ): void
  dotsOf(vector: number, width: number, matrix: number, rows: number, count: number, out: number): void
  cholesky(matrix: number, size: number, width: number): number
  solve(factor: number, size: number, width: number, vector: number): void
  inverse(matrix: number, size: number, width: number, scratch: number): void
  leastSquares(
    starts: number,
    columns: number,
    values: number,
    rowCount: number,
    factors: number,
    width: number,
    gram: number,
    ridges: number,
    steps: number,
    out: number,
    scratch: number,
  ): void
}

/** Rows that `inverse` and `leastSquares` work on at once, as `assembly/solvers.ts` has them. */
const BLOCK = 64

/** Compiled once; null where the runtime cannot. */
let module: WebAssembly.Module | null | undefined

/** Kernels in WebAssembly; null where the runtime lacks what they need. */
export function wasmKernels(): Kernels | null {
  module ??= compiled()
  return module === null ? null : new WasmKernels(module)
}

function compiled(): WebAssembly.Module | null {
  const bytes = readFileSync(new URL('./kernels.wasm', import.meta.url))
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null
}

class WasmKernels implements Kernels {
  readonly name = 'wasm'
  /** Shared, so that views stay valid when it grows. */
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX, shared: true })
  readonly #exports: Exports
  #used = ALIGNMENT
  #scratch: Float32Array = new Float32Array()

  constructor(wasm: WebAssembly.Module) {
    this.#exports = new WebAssembly.Instance(wasm, { env: { memory: this.#memory } })
      .exports as unknown as Exports
  }

  dense(rowCount: number, width: number): DenseMatrix {
    return { rowCount, width, values: this.floats(rowCount * width) }
  }

  sparse(matrix: SparseMatrix): SparseMatrix {
    const starts = this.indexes(matrix.starts.length)
    const columns = this.indexes(matrix.columns.length)
    const values = this.floats(matrix.values.length)
    starts.set(matrix.starts)
    columns.set(matrix.columns)
    values.set(matrix.values)
    return { ...matrix, starts, columns, values }
  }

  floats(length: number): Float32Array {
    const from = this.#take(length)
    return new Float32Array(this.#memory.buffer, from, length)
  }

  indexes(length: number): Uint32Array {
    const from = this.#take(length)
    return new Uint32Array(this.#memory.buffer, from, length)
  }

  sparseTimesDense(
    { starts, columns, values, rowCount }: SparseMatrix,
    dense: DenseMatrix,
    out: DenseMatrix,
  ) {
    const [a, b, c, d, e] = placesOf(starts, columns, values, dense.values, out.values)
    this.#exports.sparseTimesDense(a!, b!, c!, rowCount, d!, dense.width, e!)
  }

  gram(matrix: DenseMatrix, out: DenseMatrix) {
    const [a, b] = placesOf(matrix.values, out.values)
    this.#exports.gram(a!, matrix.rowCount, matrix.width, b!)
  }

  multiply(matrix: DenseMatrix, other: DenseMatrix, out: DenseMatrix) {
    const [a, b, c] = placesOf(matrix.values, other.values, out.values)
    this.#exports.multiply(a!, matrix.rowCount, matrix.width, b!, other.width, c!)
  }

  dotsOf(vector: Float32Array, matrix: DenseMatrix, rows: Uint32Array, count: number, out: Float32Array) {
    const [a, b, c, d] = placesOf(vector, matrix.values, rows, out)
    this.#exports.dotsOf(a!, matrix.width, b!, c!, count, d!)
  }

  cholesky({ rowCount, width, values }: DenseMatrix): number {
    const [a] = placesOf(values)
    return this.#exports.cholesky(a!, rowCount, width)
  }

  solve({ rowCount, width, values }: DenseMatrix, vector: Float32Array) {
    const [a, b] = placesOf(values, vector)
    this.#exports.solve(a!, rowCount, width, b!)
  }

  inverse({ rowCount, width, values }: DenseMatrix) {
    const scratch = this.#scratchOf(BLOCK * (width + rowCount + BLOCK))
    const [a, b] = placesOf(values, scratch)
    this.#exports.inverse(a!, rowCount, width, b!)
  }

  leastSquares(
    { starts, columns, values, rowCount }: SparseMatrix,
    { factors, gram, ridges, steps }: LeastSquares,
    out: DenseMatrix,
  ) {
    const { width } = factors
    const scratch = this.#scratchOf(3 * BLOCK * width)
    const [a, b, c, d, e, f] = placesOf(starts, columns, values, factors.values, gram.values, ridges)
    const [x, s] = placesOf(out.values, scratch)
    this.#exports.leastSquares(a!, b!, c!, rowCount, d!, width, e!, f!, steps, x!, s!)
  }

  /** Room that is used again by the next call; holds anything. */
  #scratchOf(length: number): Float32Array {
    if (this.#scratch.length < length) this.#scratch = this.floats(length)
    return this.#scratch
  }

  /** Room for so many elements of four bytes; zeros. */
  #take(length: number): number {
    const from = this.#used
    this.#used = Math.ceil((from + length * 4) / ALIGNMENT) * ALIGNMENT
    const missing = this.#used - this.#memory.buffer.byteLength
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES))
    return from
  }
}

function placesOf(...arrays: readonly (Float32Array | Uint32Array)[]): number[] {
  return arrays.map((array) => {
    if (array.buffer instanceof SharedArrayBuffer) return array.byteOffset
    throw new TypeError('an array that kernels work on must be in their memory')
  })
}
