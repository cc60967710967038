import { BLOCK_VALUES } from './column-file.ts'
import type { SpillFile } from './spill-file.ts'

/** Words of a record: four keys, the first the most significant, the number of a line, and how many bytes its id has. */
export const RECORD_WORDS = 6
const LINE = 4
const ID_BYTES = 5
/** Bytes of an id that are keys. */
export const ID_KEY_BYTES = 8
/** Records of a run that are in memory at once. */
const BLOCK_RECORDS = 1 << 10

export interface MergedRunsOptions {
  /** `runLines` records of each run but the last one, `count` in all. */
  readonly records: SpillFile
  readonly runLines: number
  readonly count: number
  /** What of the ids of the records is beyond the keys: equal ones are told by these. */
  readonly ids: SpillFile
  /** Where in it those of each run begin. */
  readonly idStarts: readonly number[]
}

/** Merges runs of records, each in order, by a heap of the runs' next records. */
export class MergedRuns {
  readonly #runs: readonly Run[]
  /** The four keys of each run's next record as three numbers: of most records the first ones are equal. */
  readonly #firsts: Float64Array
  readonly #seconds: Float64Array
  readonly #thirds: Uint32Array
  /** Numbers of runs, the one with the first record at the front. */
  readonly #heap: number[]

  constructor({ records, runLines, count, ids, idStarts }: MergedRunsOptions) {
    this.#runs = idStarts.map((idStart, run) => {
      const first = run * runLines
      return new Run({ records, ids }, { first, end: Math.min(count, first + runLines), idStart })
    })
    this.#firsts = new Float64Array(idStarts.length)
    this.#seconds = new Float64Array(idStarts.length)
    this.#thirds = new Uint32Array(idStarts.length)
    for (const run of this.#runs.keys()) this.#look(run)
    this.#heap = [...this.#runs.keys()]
    for (let place = (this.#heap.length >> 1) - 1; place >= 0; place--) this.#sink(place)
  }

  /** The lines of all records, in order, in blocks of which each is gone with the next. To be called once. */
  *lines(): Generator<Uint32Array> {
    const block = new Uint32Array(BLOCK_VALUES)
    for (let n = 0; this.#heap.length > 0; ) {
      const first = this.#heap[0]!
      const run = this.#runs[first]!
      block[n++] = run.words[run.at + LINE]!
      if (run.next()) this.#look(first)
      else {
        const last = this.#heap.pop()!
        if (this.#heap.length > 0) this.#heap[0] = last
      }
      this.#sink(0)
      if (n < block.length && this.#heap.length > 0) continue
      yield block.subarray(0, n)
      n = 0
    }
  }

  #sink(from: number): void {
    const heap = this.#heap
    for (let place = from; ; ) {
      let child = 2 * place + 1
      if (child >= heap.length) return
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!this.#isBefore(heap[child]!, heap[place]!)) return
      const moved = heap[place]!
      heap[place] = heap[child]!
      heap[child] = moved
      place = child
    }
  }

  /** Takes the keys of a run's next record. The first key is below 2 ** 31, and 53 bits go into a number. */
  #look(number: number): void {
    const { words, at } = this.#runs[number]!
    const second = words[at + 1]!
    this.#firsts[number] = words[at]! * 2 ** 21 + (second >>> 11)
    this.#seconds[number] = (second & 0x7ff) * 2 ** 32 + words[at + 2]!
    this.#thirds[number] = words[at + 3]!
  }

  #isBefore(left: number, right: number): boolean {
    const byFirst = this.#firsts[left]! - this.#firsts[right]!
    if (byFirst !== 0) return byFirst < 0
    const bySecond = this.#seconds[left]! - this.#seconds[right]!
    if (bySecond !== 0) return bySecond < 0
    const byThird = this.#thirds[left]! - this.#thirds[right]!
    return byThird === 0 ? this.#isBeforeById(left, right) : byThird < 0
  }

  #isBeforeById(left: number, right: number): boolean {
    const a = this.#runs[left]!
    const b = this.#runs[right]!
    // Keys are the same for an id and one that is longer by bytes of 0.
    return (Buffer.compare(a.id(), b.id()) || a.idLength - b.idLength) < 0
  }
}

/** The records of a run, of which a block is in memory. */
class Run {
  /** The block's records, at the end; the next one begins at `at`. */
  readonly words: Uint32Array
  at = 0
  #first = 0
  readonly #files: { readonly records: SpillFile; readonly ids: SpillFile }
  readonly #end: number
  /** The block's end. */
  #read: number
  /** Where the ids of the block begin in their file, and how many bytes they have. */
  #idStart: number
  #idBytes = 0
  /** Where each begins among them, once they were asked for. */
  #ids: { readonly bytes: Uint8Array; readonly starts: Uint32Array } | null = null

  constructor(
    files: { readonly records: SpillFile; readonly ids: SpillFile },
    { first, end, idStart }: { readonly first: number; readonly end: number; readonly idStart: number },
  ) {
    this.words = new Uint32Array(RECORD_WORDS * Math.min(BLOCK_RECORDS, end - first))
    this.#files = files
    this.#end = end
    this.#read = first
    this.#idStart = idStart
    this.#fill()
  }

  /** Goes to the next record; false where there is none. */
  next(): boolean {
    this.at += RECORD_WORDS
    return this.at < this.words.length || this.#fill()
  }

  get idLength(): number {
    return this.words[this.at + ID_BYTES]!
  }

  /** What of the record's id is beyond the keys. Blocks are read for it only where these are equal, which is seldom. */
  id(): Uint8Array {
    this.#ids ??= this.#readIds()
    const { bytes, starts } = this.#ids
    const record = this.at / RECORD_WORDS
    return bytes.subarray(starts[record]!, starts[record + 1]!)
  }

  /** Reads the next records, to the end of the memory; false where there are none. */
  #fill(): boolean {
    const count = Math.min(this.words.length / RECORD_WORDS, this.#end - this.#read)
    if (count === 0) return false
    this.at = this.words.length - RECORD_WORDS * count
    this.#first = this.at
    const { BYTES_PER_ELEMENT } = this.words
    this.#files.records.read(this.words.subarray(this.at), this.#read * RECORD_WORDS * BYTES_PER_ELEMENT)
    this.#read += count
    this.#ids = null
    this.#idStart += this.#idBytes
    this.#idBytes = 0
    for (let at = this.at + ID_BYTES; at < this.words.length; at += RECORD_WORDS)
      this.#idBytes += beyondKeys(this.words[at]!)
    return true
  }

  #readIds() {
    const bytes = new Uint8Array(this.#idBytes)
    this.#files.ids.read(bytes, this.#idStart)
    const count = this.words.length / RECORD_WORDS
    const starts = new Uint32Array(count + 1)
    for (let record = this.#first / RECORD_WORDS; record < count; record++)
      starts[record + 1] = starts[record]! + beyondKeys(this.words[record * RECORD_WORDS + ID_BYTES]!)
    return { bytes, starts }
  }
}

function beyondKeys(idBytes: number): number {
  return Math.max(0, idBytes - ID_KEY_BYTES)
}
