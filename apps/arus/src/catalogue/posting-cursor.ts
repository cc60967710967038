import type { TextIndex } from './text-index.ts'
import { POSTING_SHIFT } from './text-index-builder.ts'

/** What every cursor answers once it has passed its last document. */
export const NO_MORE = 0xffffffff

/** Walks documents in order. After opening it stands on its first document. */
export interface DocumentCursor {
  /** The document it stands on, or `NO_MORE`. */
  document(): number
  /** Moves to the first document not below `target` (never backwards) and answers it. */
  seek(target: number): number
  /** What the document it stands on earns. */
  score(): number
  /** Upper bound of how many documents there are. */
  readonly cost: number
}

/** Documents holding one term, scored by BM25 with `idf` as the term's weight. Seeking gallops: O(log distance). */
export class TermCursor implements DocumentCursor {
  readonly cost: number
  readonly #index: TextIndex
  readonly #postings: Uint32Array
  readonly #idf: number
  #at = 0

  constructor(index: TextIndex, term: number, idf: number) {
    this.#index = index
    this.#postings = index.postings(term)
    this.#idf = idf
    this.cost = this.#postings.length
  }

  document(): number {
    return this.#at < this.#postings.length ? this.#postings[this.#at]! >>> POSTING_SHIFT : NO_MORE
  }

  seek(target: number): number {
    this.#at = gallop(this.#postings, this.#at, (target << POSTING_SHIFT) >>> 0)
    return this.document()
  }

  score(): number {
    const posting = this.#postings[this.#at]!
    return this.#idf * this.#index.weight(posting >>> POSTING_SHIFT, posting & 7)
  }
}

/** Documents any of whose cursors stand on them; the best of these gives the score. For a word that may end many ways. */
export class UnionCursor implements DocumentCursor {
  readonly cost: number
  readonly #cursors: readonly DocumentCursor[]
  #document: number

  constructor(cursors: readonly DocumentCursor[]) {
    this.#cursors = cursors
    this.cost = cursors.reduce((sum, cursor) => sum + cursor.cost, 0)
    this.#document = this.seek(0)
  }

  document(): number {
    return this.#document
  }

  seek(target: number): number {
    let least = NO_MORE
    for (const cursor of this.#cursors) {
      const document = cursor.document() < target ? cursor.seek(target) : cursor.document()
      if (document < least) least = document
    }
    this.#document = least
    return least
  }

  score(): number {
    let best = 0
    for (const cursor of this.#cursors) {
      if (cursor.document() === this.#document) best = Math.max(best, cursor.score())
    }
    return best
  }
}

/** Documents of a sorted list, worth nothing: a filter. */
export class ListCursor implements DocumentCursor {
  readonly cost: number
  readonly #documents: Uint32Array
  #at = 0

  constructor(documents: Uint32Array) {
    this.#documents = documents
    this.cost = documents.length
  }

  document(): number {
    return this.#at < this.#documents.length ? this.#documents[this.#at]! : NO_MORE
  }

  seek(target: number): number {
    this.#at = gallop(this.#documents, this.#at, target)
    return this.document()
  }

  score(): number {
    return 0
  }
}

/** Position of the first value not below `target`, from position `from` on: doubling steps, then halving. */
function gallop(values: Uint32Array, from: number, target: number): number {
  if (from >= values.length || values[from]! >= target) return from
  let step = 1
  let low = from
  while (low + step < values.length && values[low + step]! < target) {
    low += step
    step *= 2
  }
  let high = Math.min(values.length, low + step)
  low++
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < target) low = middle + 1
    else high = middle
  }
  return low
}
