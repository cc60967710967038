import type { FlatArray, FlatBlocks } from './flat-file.ts'
import { SpillFile } from './spill-file.ts'

/** Values written, or read, at once: few enough to stay in the caches. */
export const BLOCK_VALUES = 1 << 15

interface Kind<T extends FlatArray> {
  new (length: number): T
  new (memory: ArrayBufferLike, from: number, length: number): T
}

/** A column of numbers that grows in a file in place of memory, and is read back in parts. */
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

  get count(): number {
    return this.#written + this.#used
  }

  append(values: FlatArray): void {
    for (let from = 0; from < values.length; ) {
      const part = values.subarray(from, from + BLOCK_VALUES - this.#used)
      this.#block.set(part, this.#used)
      this.#used += part.length
      from += part.length
      if (this.#used === BLOCK_VALUES) this.#flush()
    }
  }

  /** A part of the values, in memory of the caller's, 8 bytes for each suffice: they are gone with the next that are read to it. */
  read(memory: ArrayBufferView, { first, count }: { readonly first: number; readonly count: number }): T {
    this.#flush()
    const values = new this.#kind(memory.buffer, memory.byteOffset, count)
    this.#file.read(values, first * values.BYTES_PER_ELEMENT)
    return values
  }

  /** All values, a block after the other. */
  blocks(): FlatBlocks {
    const values = () => this.#blocks()
    return { length: this.count, like: this.like, [Symbol.iterator]: values }
  }

  close(): void {
    this.#file.close()
  }

  *#blocks(): Generator<T> {
    const memory = new this.#kind(BLOCK_VALUES)
    for (let first = 0; first < this.count; first += BLOCK_VALUES)
      yield this.read(memory, { first, count: Math.min(BLOCK_VALUES, this.count - first) })
  }

  #flush(): void {
    if (this.#used === 0) return
    this.#file.append(this.#block.subarray(0, this.#used))
    this.#written += this.#used
    this.#used = 0
  }
}
