import { readFileSync } from 'node:fs'

/** What a column of a products file holds, for the first look at its fields; the numbers are those of `assembly/csv-check.ts`. */
export const FIELD_KINDS = {
  any: 0,
  id: 1,
  title: 2,
  address: 3,
  price: 4,
  stars: 5,
  count: 6,
  truth: 7,
} as const

export type FieldKind = keyof typeof FIELD_KINDS

/** What `assembly/csv-check.ts` exports; pointers are places in its memory. */
interface Exports {
  allocate(byteCount: number): number
  scan(
    bytes: number,
    from: number,
    end: number,
    delimiter: number,
    columnCount: number,
    kinds: number,
    recordsMax: number,
    ends: number,
    hashes: number,
    doubtful: number,
  ): number
  stoppedAt(): number
  doubts(): number
  returns(): number
}

/** Records that were read over. The views are valid until the next call. */
export interface OrdinaryRecords {
  readonly count: number
  /** Where the first byte stands that was not read. */
  readonly next: number
  /** Where among the bytes each record's line feed stands. */
  readonly ends: Uint32Array
  /** Numbers of the doubtful ones among them, ascending. */
  readonly doubtful: Uint32Array
  /** How many ended with a carriage return and a line feed. */
  readonly carriageReturnCount: number
}

const RECORDS_PER_CALL = 1 << 14
/** The kernel looks at 16 bytes at a time. */
const SLACK_BYTES = 16
const PAGES_MAX = 65_536

let compiled: WebAssembly.Module | undefined

/** Bytes of a CSV in the memory of `assembly/csv-check.ts`, and its look at them. */
export class CsvKernel {
  /** Shared, so that views stay valid when it grows. */
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX, shared: true })
  readonly #exports: Exports
  readonly #delimiter: number
  readonly #kinds: Uint8Array
  readonly #ends: Uint32Array
  readonly #hashes: number
  readonly #doubtful: Uint32Array
  #bytes: Buffer
  #length = 0

  constructor(delimiter: string, kinds: readonly FieldKind[]) {
    compiled ??= new WebAssembly.Module(readFileSync(new URL('./csv-check.wasm', import.meta.url)))
    this.#exports = new WebAssembly.Instance(compiled, { env: { memory: this.#memory } })
      .exports as unknown as Exports
    this.#delimiter = delimiter.charCodeAt(0)
    this.#kinds = this.#allocated(kinds.length)
    this.#kinds.set(kinds.map((kind) => FIELD_KINDS[kind]))
    this.#ends = this.#words(RECORDS_PER_CALL)
    this.#hashes = this.#allocated(8 * RECORDS_PER_CALL).byteOffset
    this.#doubtful = this.#words(RECORDS_PER_CALL)
    this.#bytes = this.#allocated(0)
  }

  /** The bytes that were pushed and not dropped. Read anew after each `push`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Where the bytes to be pushed next can be put, so that they need not be copied. */
  room(byteCount: number): Buffer {
    this.#reserve(byteCount)
    return this.#bytes.subarray(this.#length, this.#length + byteCount)
  }

  push(chunk: Uint8Array): void {
    this.#reserve(chunk.length)
    const isThere =
      chunk.buffer === this.#bytes.buffer && chunk.byteOffset === this.#bytes.byteOffset + this.#length
    if (!isThere) this.#bytes.set(chunk, this.#length)
    this.#length += chunk.length
  }

  /** Drops the first bytes. */
  drop(byteCount: number): void {
    this.#bytes.copyWithin(0, byteCount, this.#length)
    this.#length -= byteCount
  }

  /** Reads over ordinary records in `bytes[from, end)`, the last byte of which is a line feed. */
  scan(from: number, end: number): OrdinaryRecords {
    const count = this.#exports.scan(
      this.#bytes.byteOffset,
      from,
      end,
      this.#delimiter,
      this.#kinds.length,
      this.#kinds.byteOffset,
      RECORDS_PER_CALL,
      this.#ends.byteOffset,
      this.#hashes,
      this.#doubtful.byteOffset,
    )
    return {
      count,
      next: this.#exports.stoppedAt(),
      ends: this.#ends.subarray(0, count),
      doubtful: this.#doubtful.subarray(0, this.#exports.doubts()),
      carriageReturnCount: this.#exports.returns(),
    }
  }

  /** Makes room for so many more bytes. */
  #reserve(byteCount: number): void {
    const length = this.#length + byteCount + SLACK_BYTES
    if (length <= this.#bytes.length) return
    const larger = this.#allocated(2 * length)
    larger.set(this.bytes)
    this.#bytes = larger
  }

  #allocated(byteCount: number): Buffer {
    const from = this.#exports.allocate(byteCount)
    return Buffer.from(this.#memory.buffer as unknown as ArrayBuffer, from, byteCount)
  }

  #words(count: number): Uint32Array {
    const { buffer, byteOffset } = this.#allocated(4 * count)
    return new Uint32Array(buffer, byteOffset, count)
  }
}
