import type { Kernels } from './kernels.ts'
import { plainKernels } from './plain.ts'
import { wasmKernels } from './wasm.ts'

/** New kernels, in WebAssembly where the runtime has relaxed SIMD and shared memory, else in TypeScript. */
export function openKernels(): Kernels {
  return wasmKernels() ?? plainKernels()
}
