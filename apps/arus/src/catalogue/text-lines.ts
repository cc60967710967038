import { closeSync, openSync, readSync } from 'node:fs'
import { ArusError } from '../errors.ts'

const BLOCK_BYTES = 1 << 22

/** Reads a file whose lines' lengths are known from elsewhere, through one buffer. */
export class TextLines {
  readonly #file: string
  readonly #descriptor: number
  #buffer: Buffer = Buffer.allocUnsafe(BLOCK_BYTES)
  #at = 0
  #end = 0
  /** Where in the file the buffer begins. */
  #base = 0

  constructor(file: string) {
    this.#file = file
    this.#descriptor = openSync(file, 'r')
  }

  /** Where in the file the next bytes begin. */
  get position(): number {
    return this.#base + this.#at
  }

  /** The next bytes, several lines as a rule; valid until the next call. Throws `INTERNAL` when there are no more. */
  next(byteCount: number): Buffer {
    if (this.#at + byteCount > this.#end) this.#fill(byteCount)
    const start = this.#at
    this.#at += byteCount
    if (this.#at > this.#end) throw this.unlike()
    return this.#buffer.subarray(start, this.#at)
  }

  /** Throws `INTERNAL` when there are more lines than were read. */
  assertAtEnd(): void {
    if (this.#at >= this.#end) this.#fill(1)
    if (this.#at < this.#end) throw this.unlike()
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  /** Moves what is left to the front and reads on until there are `byteCount`, or the file ends. */
  #fill(byteCount: number): void {
    const left = this.#end - this.#at
    const target = byteCount > this.#buffer.length ? Buffer.allocUnsafe(byteCount) : this.#buffer
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

  /** What is thrown when lengths and lines are of different products. */
  unlike(): ArusError {
    return new ArusError('INTERNAL', `${this.#file} has other lines than were announced; import again`)
  }
}
