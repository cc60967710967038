import { closeSync, openSync, readSync } from 'node:fs'
import { ArusError } from '../errors.ts'
import { type FlatArray, writeAll } from './flat-file.ts'

/** What there is no memory for, in a new file. It is not synced, and the caller removes it. */
export class SpillFile {
  readonly #file: string
  readonly #descriptor: number
  #byteCount = 0

  constructor(file: string) {
    this.#file = file
    this.#descriptor = openSync(file, 'wx+')
  }

  /** Adds values at the end; answers where they begin, in bytes. */
  append(values: FlatArray): number {
    const position = this.#byteCount
    writeAll(this.#descriptor, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    this.#byteCount += values.byteLength
    return position
  }

  /** Fills `values` with what stands from `position` on. */
  read(values: FlatArray, position: number): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(this.#descriptor, bytes, at, bytes.length - at, position + at)
      if (read === 0)
        throw new ArusError('INTERNAL', `${this.#file} was cut short meanwhile; import the catalogue again`)
      at += read
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
