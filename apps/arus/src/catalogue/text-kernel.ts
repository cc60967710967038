import { readFileSync } from 'node:fs'
import { ByteList } from './byte-list.ts'
import { ByteTable } from './byte-table.ts'
import type { GatheredIds } from './id-file.ts'

/** What `assembly/text-index.ts` exports; pointers are places in its memory. */
interface Exports {
  allocate(byteCount: number): number
  cutLines(bytes: number, byteCount: number, rowCount: number, starts: number, byteCounts: number): number
  gatherIds(
    starts: number,
    byteCounts: number,
    count: number,
    bytes: number,
    ends: number,
    hashes: number,
  ): number
  setNames(starts: number, terms: number): void
  termOf(source: number, byteCount: number): number
  addTexts(row: number, count: number, starts: number, byteCounts: number, names: number): number
  stoppedAt(): number
  addTokens(bytes: number, ends: number, count: number): void
  endSegment(): void
  startBuckets(documentCount: number, blockCount: number, firstTerms: number): void
  divide(words: number, wordCount: number, documents: number): void
  endBuckets(): void
  countPostings(): void
  startPostings(first: number, end: number, place: number): void
  addPostings(words: number, wordCount: number, first: number, documentCount: number): void
  fact(which: number): number
}

/** Numbers that `fact` answers to. */
const TERMS = 0
const TERM_COUNT = 4
const TEXT_COUNT = 5
const TOKEN_COUNT = 6
const OFFSETS = 7

const PAGES_MAX = 65_536

let compiled: WebAssembly.Module | undefined

/** `cutLines` looks at 16 bytes at a time. */
const SLACK_BYTES = 16
/** What `cutLines` answers where a text holds what should end it. */
const NOT_CUT = -1
const TEXTS = 4

/** Rows in the kernel's memory: where the texts of each begin and their bytes, and the number of its name. */
export type Rows = Readonly<
  Record<
    'idStarts' | 'idBytes' | 'titleStarts' | 'titleBytes' | 'imageUrlBytes' | 'productUrlBytes' | 'names',
    Uint32Array
  >
>

/** Who takes what the kernel hands over; what it gets is its memory, and valid during the call. */
export interface WordTaker {
  /** Of texts, none cut, after those before; `lengths` is how many tokens each has, as far as a byte goes. */
  segment(words: Uint32Array, lengths: Uint8Array): void
  /** Of the bucket's texts, after those before. */
  chunk(bucket: number, words: Uint32Array): void
}

/** The words of a catalogue under way, in the memory of `assembly/text-index.ts`. */
export class TextKernel {
  readonly exports: Exports
  /** Shared, so that views stay valid when it grows. */
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX, shared: true })
  #block: Buffer = Buffer.alloc(0)
  #rowRoom = 0
  #starts: Uint32Array = new Uint32Array()
  #byteCounts: Uint32Array = new Uint32Array()
  #names: Uint32Array = new Uint32Array()
  #idBytes: Buffer = Buffer.alloc(0)
  #idEnds: Uint32Array = new Uint32Array()
  #idHashes: Uint32Array = new Uint32Array()
  #taker: WordTaker | null = null

  constructor() {
    compiled ??= new WebAssembly.Module(readFileSync(new URL('./text-index.wasm', import.meta.url)))
    const imports = {
      env: { memory: this.#memory },
      'text-index': {
        takeSegment: (place: number, count: number, lengths: number, textCount: number) =>
          this.#taker?.segment(this.#wordsAt(place, count), this.bytesAt(lengths, textCount)),
        takeChunk: (bucket: number, place: number, count: number) =>
          this.#taker?.chunk(bucket, this.#wordsAt(place, count)),
      },
    }
    this.exports = new WebAssembly.Instance(compiled, imports).exports as unknown as Exports
  }

  /** To be called before the first text is added. */
  handTo(taker: WordTaker): void {
    this.#taker = taker
  }

  /** Copies bytes in, where the ones before were; answers where they begin. */
  load(bytes: Uint8Array): number {
    if (bytes.length > this.#block.length) this.#block = this.room(2 * bytes.length)
    this.#block.set(bytes)
    return this.#block.byteOffset
  }

  /** Room for so many rows, the same as before where it suffices. */
  rows(count: number): Rows {
    if (this.#rowRoom < count) {
      this.#rowRoom = count
      this.#starts = this.words(TEXTS * count)
      this.#byteCounts = this.words(TEXTS * count)
      this.#names = this.words(count)
    }
    // A column each, as many rows long as are asked for.
    const column = (words: Uint32Array, text: number) => words.subarray(text * count, (text + 1) * count)
    return {
      idStarts: column(this.#starts, 0),
      idBytes: column(this.#byteCounts, 0),
      titleStarts: column(this.#starts, 1),
      titleBytes: column(this.#byteCounts, 1),
      imageUrlBytes: column(this.#byteCounts, 2),
      productUrlBytes: column(this.#byteCounts, 3),
      names: this.#names.subarray(0, count),
    }
  }

  /**
   * Finds the texts of `count` rows in the lines at `place`, and fills in `rows(count)`. Answers the bytes of the lines, 0 where
   * there are fewer lines, null where a text holds what should end it.
   */
  cutLines(place: number, byteCount: number, count: number): number | null {
    this.rows(count)
    const { byteOffset } = this.#starts
    const found = this.exports.cutLines(place, byteCount, count, byteOffset, this.#byteCounts.byteOffset)
    return found === NOT_CUT ? null : found
  }

  /** The ids of the first `count` rows; valid until the next call. */
  gatherIds({ idStarts, idBytes }: Rows, count: number): GatheredIds {
    let room = 0
    for (let row = 0; row < count; row++) room += idBytes[row]!
    if (this.#idBytes.length < room) this.#idBytes = this.room(2 * room)
    if (this.#idEnds.length < count) {
      this.#idEnds = this.words(count)
      this.#idHashes = this.words(count)
    }
    const rows = [idStarts.byteOffset, idBytes.byteOffset, count] as const
    const [bytes, ends, hashes] = [this.#idBytes, this.#idEnds, this.#idHashes]
    const byteCount = this.exports.gatherIds(...rows, bytes.byteOffset, ends.byteOffset, hashes.byteOffset)
    return {
      bytes: bytes.subarray(0, byteCount),
      ends: ends.subarray(0, count),
      hashes: hashes.subarray(0, count),
    }
  }

  get terms(): ByteTable {
    const [bytes, endsAt, slots, slotCount, count] = [0, 1, 2, 3, 4].map((n) => this.exports.fact(TERMS + n))
    const ends = this.#wordsAt(endsAt!, count!)
    const list = new ByteList(this.bytesAt(bytes!, ends.at(-1) ?? 0), ends)
    return new ByteTable(list, this.#wordsAt(slots!, slotCount!))
  }

  get textCount(): number {
    return this.exports.fact(TEXT_COUNT)
  }

  get tokenCount(): number {
    return this.exports.fact(TOKEN_COUNT)
  }

  /** Where each term's postings begin, and the last ones end, once they were counted. */
  get postingOffsets(): Uint32Array {
    return this.#wordsAt(this.exports.fact(OFFSETS), this.exports.fact(TERM_COUNT) + 1)
  }

  /** Room for so many bytes, and more after them that the kernel may look at. */
  room(byteCount: number): Buffer {
    return this.bytesAt(this.exports.allocate(byteCount + SLACK_BYTES), byteCount)
  }

  words(count: number): Uint32Array {
    return this.#wordsAt(this.exports.allocate(4 * count), count)
  }

  bytesAt(place: number, byteCount: number): Buffer {
    return Buffer.from(this.#memory.buffer as unknown as ArrayBuffer, place, byteCount)
  }

  #wordsAt(place: number, count: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, place, count)
  }
}
