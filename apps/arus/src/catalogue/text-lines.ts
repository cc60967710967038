import { closeSync, openSync, readSync } from 'node:fs'
import { ArusError } from '../errors.ts'

const BLOCK_BYTES = 1 << 22
const LF = 10

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

  /** Read anew after each `next`. */
  get bytes(): Buffer {
    return this.#buffer
  }

  /** Where the buffer begins in the file. */
  get base(): number {
    return this.#base
  }

  /**
   * Moves to the next line, of `length` bytes without its line feed; answers where in `bytes` it begins. Throws `INTERNAL`
   * when the file has no such line: then lengths and lines are of different products.
   */
  next(length: number): number {
    if (this.#at + length >= this.#end) this.#fill(length + 1)
    const start = this.#at
    this.#at = start + length + 1
    if (this.#at > this.#end || this.#buffer[this.#at - 1] !== LF) throw this.#unlike()
    return start
  }

  /** Throws `INTERNAL` when there are more lines than were read. */
  assertAtEnd(): void {
    if (this.#at >= this.#end) this.#fill(1)
    if (this.#at < this.#end) throw this.#unlike()
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

  #unlike(): ArusError {
    return new ArusError('INTERNAL', `${this.#file} has other lines than were announced; import again`)
  }
}
