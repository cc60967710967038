/**
 * Hot loops in AssemblyScript with relaxed SIMD (WebAssembly relaxed-simd proposal). Matrices are float32, row after row;
 * a row has `width` columns, a multiple of 16; pointers are byte offsets in the shared memory. `src/kernels/plain.ts` is
 * the same in TypeScript, and the meaning of each function is told in `src/kernels/kernels.ts`.
 */
export { dotsOf, gram, multiply, sparseTimesDense } from './products'
export { cholesky, inverse, leastSquares, solve } from './solvers'
