import type { FlatArray } from './flat-file.ts'
import { SpillFile } from './spill-file.ts'

/** Values written at once. */
const BLOCK_VALUES = 1 << 15

interface Kind<T extends FlatArray> {
  new (length: number): T
  new (memory: ArrayBufferLike, from: number, length: number): T
}

/** A column of numbers that grows in a file in place of memory, and is read back whole, or in parts. */
export class ColumnFile<T extends FlatArray = FlatArray> {
  readonly #kind: Kind<T>
  readonly #file: SpillFile
  /** The last values, not written yet. */
  readonly #block: T
  #used = 0
  /** Values in the file. */
  #written = 0

  constructor(file: string, kind: Kind<T>) {
    this.#kind = kind
    this.#file = new SpillFile(file)
    this.#block = new kind(BLOCK_VALUES)
  }

  /** An array of its kind. */
  get like(): T {
    return this.#block
  }

  append(values: Float64Array | Uint32Array): void {
    for (let from = 0; from < values.length; ) {
      const part = values.subarray(from, from + BLOCK_VALUES - this.#used)
      this.#block.set(part, this.#used)
      this.#used += part.length
      from += part.length
      if (this.#used === BLOCK_VALUES) this.#flush()
    }
  }

  /**
   * All values or a part of them, in memory of the caller's, 8 bytes for each suffice: they are gone with the next that are read
   * to it.
   */
  read(memory: ArrayBufferView, part?: { readonly first: number; readonly count: number }): T {
    this.#flush()
    const { first, count } = part ?? { first: 0, count: this.#written }
    const values = new this.#kind(memory.buffer, memory.byteOffset, count)
    this.#file.read(values, first * values.BYTES_PER_ELEMENT)
    return values
  }

  close(): void {
    this.#file.close()
  }

  #flush(): void {
    this.#file.append(this.#block.subarray(0, this.#used))
    this.#written += this.#used
    this.#used = 0
  }
}
