import { closeSync, openSync, readSync } from 'node:fs'

const BLOCK_BYTES = 1 << 22

/** Reads a file forwards through one buffer, or a larger one where it must be. */
export class TextLines {
  readonly #descriptor: number
  readonly #allocate: (byteCount: number) => Buffer
  #buffer: Buffer
  #at = 0
  #end = 0
  /** Where in the file the buffer begins. */
  #base = 0

  constructor(file: string, allocate: (byteCount: number) => Buffer) {
    this.#allocate = allocate
    this.#buffer = allocate(BLOCK_BYTES)
    this.#descriptor = openSync(file, 'r')
  }

  /** Where in the file the next bytes begin. */
  get position(): number {
    return this.#base + this.#at
  }

  /** The next bytes, fewer where the file ends; valid until the next call. They stay the next until `skip`. */
  ahead(byteCount: number): Buffer {
    if (this.#at + byteCount > this.#end) this.#fill(byteCount)
    return this.#buffer.subarray(this.#at, Math.min(this.#end, this.#at + byteCount))
  }

  /** Goes over bytes that `ahead` gave. */
  skip(byteCount: number): void {
    this.#at += byteCount
  }

  isAtEnd(): boolean {
    return this.ahead(1).length === 0
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  /** Moves what is left to the front and reads on until there are `byteCount`, or the file ends. */
  #fill(byteCount: number): void {
    const left = this.#end - this.#at
    const target = byteCount > this.#buffer.length ? this.#allocate(byteCount) : this.#buffer
    this.#buffer.copy(target, 0, this.#at, this.#end)
    this.#buffer = target
    this.#base += this.#at
    this.#at = 0
    this.#end = left
    while (this.#end < byteCount) {
      const read = readSync(this.#descriptor, target, this.#end, target.length - this.#end, null)
      if (read === 0) return
      this.#end += read
    }
  }
}
