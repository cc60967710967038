import type { FlatArray } from './flat-file.ts'

/** `values` in another order: `values[order[0]]`, `values[order[1]]`, … */
export function gathered<T extends FlatArray>(values: T, order: Uint32Array): T {
  const found = new (values.constructor as new (length: number) => T)(order.length)
  // One function a kind of array: a loop that sees several is compiled for none.
  if (values instanceof Float64Array) gather64(values, order, found as Float64Array)
  else if (values instanceof Float32Array) gather32(bits32(values), order, bits32(found))
  else if (values instanceof Uint32Array) gather32(values, order, found as Uint32Array)
  else if (values instanceof Uint16Array) gather16(values, order, found as Uint16Array)
  else gather8(values, order, found as Uint8Array)
  return found
}

function bits32(values: FlatArray): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length)
}

function gather64(values: Float64Array, order: Uint32Array, found: Float64Array): void {
  for (let i = 0; i < order.length; i++) found[i] = values[order[i]!]!
}

function gather32(values: Uint32Array, order: Uint32Array, found: Uint32Array): void {
  for (let i = 0; i < order.length; i++) found[i] = values[order[i]!]!
}

function gather16(values: Uint16Array, order: Uint32Array, found: Uint16Array): void {
  for (let i = 0; i < order.length; i++) found[i] = values[order[i]!]!
}

function gather8(values: Uint8Array, order: Uint32Array, found: Uint8Array): void {
  for (let i = 0; i < order.length; i++) found[i] = values[order[i]!]!
}
