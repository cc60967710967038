import type { ByteList } from './byte-list.ts'
import type { SpillFile } from './spill-file.ts'

/** Words of a record: four keys, the first the most significant, and the number of a line. */
export const RECORD_WORDS = 5
const LINE = RECORD_WORDS - 1
/** Records of a run that are in memory at once. */
const BLOCK_RECORDS = 1 << 11

/** Merges runs of records, each in order, by a heap of the runs' next records. */
export class MergedRuns {
  readonly #file: SpillFile
  readonly #ids: ByteList
  readonly #runs: readonly { readonly words: Uint32Array; readonly end: number; next: number; at: number }[]
  /** Numbers of runs, the one with the first record at the front. */
  readonly #heap: number[]

  /** `file` holds `runLines` records of each run but the last one, one record for each of `ids`; equal keys are told by these. */
  constructor(file: SpillFile, { runLines, ids }: { readonly runLines: number; readonly ids: ByteList }) {
    this.#file = file
    this.#ids = ids
    this.#runs = Array.from({ length: Math.ceil(ids.count / runLines) }, (_, run) => ({
      words: new Uint32Array(RECORD_WORDS * Math.min(BLOCK_RECORDS, runLines)),
      end: Math.min(ids.count, (run + 1) * runLines),
      next: run * runLines,
      at: 0,
    }))
    for (const run of this.#runs.keys()) this.#fill(run)
    this.#heap = [...this.#runs.keys()]
    for (let place = (this.#heap.length >> 1) - 1; place >= 0; place--) this.#sink(place)
  }

  /** The lines of all records, in order. To be called once. */
  lines(): Uint32Array {
    const lines = new Uint32Array(this.#ids.count)
    for (let n = 0; n < lines.length; n++) {
      const first = this.#heap[0]!
      const run = this.#runs[first]!
      lines[n] = run.words[run.at + LINE]!
      run.at += RECORD_WORDS
      if (run.at === run.words.length && !this.#fill(first)) {
        const last = this.#heap.pop()!
        if (this.#heap.length > 0) this.#heap[0] = last
      }
      this.#sink(0)
    }
    return lines
  }

  /** Reads the run's next records, to the end of its memory; false where there are none. */
  #fill(number: number): boolean {
    const run = this.#runs[number]!
    const count = Math.min(run.words.length / RECORD_WORDS, run.end - run.next)
    if (count === 0) return false
    run.at = run.words.length - RECORD_WORDS * count
    this.#file.read(run.words.subarray(run.at), run.next * RECORD_WORDS * run.words.BYTES_PER_ELEMENT)
    run.next += count
    return true
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

  #isBefore(left: number, right: number): boolean {
    const { words: a, at: i } = this.#runs[left]!
    const { words: b, at: j } = this.#runs[right]!
    for (let key = 0; key < LINE; key++) {
      const difference = a[i + key]! - b[j + key]!
      if (difference !== 0) return difference < 0
    }
    return this.#ids.compare(a[i + LINE]!, b[j + LINE]!) < 0
  }
}
