import type { ColumnFile } from './column-file.ts'
import type { FlatArray, FlatBlocks } from './flat-file.ts'

/** Values gathered at once: few enough to be written out of the caches. */
const BLOCK_VALUES = 1 << 15

/** `values` in another order: `values[order[0]]`, `values[order[1]]`, … */
export function gathered<T extends FlatArray>(values: T, order: Uint32Array): T {
  const found = arrayLike(values, order.length)
  gather(values, order, found)
  return found
}

/**
 * The same as a section of a flat file, whose blocks are gathered one after the other into one array. The column is read to
 * `memory` when its section is written.
 */
export function gatheredBlocks(column: ColumnFile, order: Uint32Array, memory: ArrayBufferView): FlatBlocks {
  return {
    length: order.length,
    like: column.like,
    *[Symbol.iterator]() {
      const values = column.read(memory)
      const room = arrayLike(values, Math.min(BLOCK_VALUES, order.length))
      for (let first = 0; first < order.length; first += BLOCK_VALUES) {
        const part = order.subarray(first, first + BLOCK_VALUES)
        const block = room.subarray(0, part.length)
        gather(values, part, block)
        yield block
      }
    },
  }
}

function arrayLike<T extends FlatArray>(values: T, length: number): T {
  return new (values.constructor as new (length: number) => T)(length)
}

/** One function a kind of array: a loop that sees several is compiled for none. */
function gather(values: FlatArray, order: Uint32Array, found: FlatArray): void {
  if (values instanceof Float64Array) gather64(values, order, found as Float64Array)
  else if (values instanceof Float32Array) gather32(bits32(values), order, bits32(found))
  else if (values instanceof Uint32Array) gather32(values, order, found as Uint32Array)
  else if (values instanceof Uint16Array) gather16(values, order, found as Uint16Array)
  else gather8(values, order, found as Uint8Array)
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
