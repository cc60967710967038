import { readFileSync } from 'node:fs'
import { ByteList } from './byte-list.ts'
import { ByteTable } from './byte-table.ts'

/** What `assembly/text-index.ts` exports; pointers are places in its memory. */
interface Exports {
  allocate(byteCount: number): number
  cutLines(bytes: number, byteCount: number, rowCount: number, starts: number, byteCounts: number): number
  startProducts(count: number): void
  addIds(starts: number, byteCounts: number, count: number, next: number): number
  setNames(starts: number, terms: number): void
  termOf(source: number, byteCount: number): number
  addTexts(row: number, count: number, starts: number, byteCounts: number, names: number): number
  stoppedAt(): number
  addTokens(bytes: number, ends: number, count: number): void
  endSegment(): void
  startBuckets(documentCount: number, blockCount: number, firstTerms: number): void
  divide(words: number, wordCount: number, documentOf: number, text: number): number
  endBuckets(): void
  countPostings(): void
  startPostings(first: number, end: number, place: number): void
  addPostings(words: number, wordCount: number, first: number, documentCount: number): void
  fact(which: number): number
}

/** Numbers that `fact` answers to. */
const IDS = 0
const TERMS = 5
const TEXT_COUNT = 10
const TOKEN_COUNT = 11
const LENGTHS = 12
const OFFSETS = 13

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

/** Who takes what the kernel hands over; the words are its memory, and valid during the call. */
export interface WordTaker {
  /** Of texts, none cut, after those before. */
  segment(words: Uint32Array): void
  /** Of the bucket's texts, after those before. */
  chunk(bucket: number, words: Uint32Array): void
}

/** The words and the ids of a catalogue under way, in the memory of `assembly/text-index.ts`. */
export class TextKernel {
  readonly exports: Exports
  /** Shared, so that views stay valid when it grows. */
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX, shared: true })
  #block: Buffer = Buffer.alloc(0)
  #rowRoom = 0
  #starts: Uint32Array = new Uint32Array()
  #byteCounts: Uint32Array = new Uint32Array()
  #names: Uint32Array = new Uint32Array()

  #taker: WordTaker | null = null

  constructor() {
    compiled ??= new WebAssembly.Module(readFileSync(new URL('./text-index.wasm', import.meta.url)))
    const imports = {
      env: { memory: this.#memory },
      'text-index': {
        takeSegment: (place: number, count: number) => this.#taker?.segment(this.#wordsAt(place, count)),
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

  get ids(): ByteTable {
    return this.#table(IDS)
  }

  get terms(): ByteTable {
    return this.#table(TERMS)
  }

  get textCount(): number {
    return this.exports.fact(TEXT_COUNT)
  }

  get tokenCount(): number {
    return this.exports.fact(TOKEN_COUNT)
  }

  /** Tokens of each text, as far as a byte goes. */
  get lengths(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.exports.fact(LENGTHS), this.textCount)
  }

  /** Where each term's postings begin, and the last ones end, once they were counted. */
  get postingOffsets(): Uint32Array {
    return this.#wordsAt(this.exports.fact(OFFSETS), this.exports.fact(TERMS + 4) + 1)
  }

  /** Room for so many bytes, and more after them that the kernel may look at. */
  room(byteCount: number): Buffer {
    return this.bytesAt(this.exports.allocate(byteCount + SLACK_BYTES), byteCount)
  }

  words(count: number): Uint32Array {
    return this.#wordsAt(this.exports.allocate(4 * count), count)
  }

  /** Which document each text is, where `order[document]` is its text; in the kernel's memory. */
  documentsOf(order: Uint32Array): Uint32Array {
    const documentOf = this.words(order.length)
    for (let document = 0; document < order.length; document++) documentOf[order[document]!] = document
    return documentOf
  }

  bytesAt(place: number, byteCount: number): Buffer {
    return Buffer.from(this.#memory.buffer as unknown as ArrayBuffer, place, byteCount)
  }

  #wordsAt(place: number, count: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, place, count)
  }

  #table(which: number): ByteTable {
    const [bytes, endsAt, slots, slotCount, count] = [0, 1, 2, 3, 4].map((n) => this.exports.fact(which + n))
    const ends = this.#wordsAt(endsAt!, count!)
    const list = new ByteList(this.bytesAt(bytes!, ends.at(-1) ?? 0), ends)
    return ByteTable.of(list, this.#wordsAt(slots!, slotCount!))
  }
}
