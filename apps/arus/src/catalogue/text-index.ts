import { ByteTable } from './byte-table.ts'
import type { FlatReader } from './flat-file.ts'

/** BM25 constants (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", eq. 3.15). */
const K1 = 1.2
const B = 0.75

/** An inverted index over views of a flat file. */
export class TextIndex {
  readonly documentCount: number
  readonly #terms: ByteTable
  readonly #sorted: Uint32Array
  readonly #offsets: Uint32Array
  readonly #postings: Uint32Array
  readonly #lengths: Uint8Array
  /** By document length: the part of BM25's denominator that does not depend on the term. */
  readonly #lengthNorms: Float32Array

  constructor(reader: FlatReader) {
    this.#terms = ByteTable.load(reader, 'terms')
    this.#sorted = reader.u32('terms.sorted')
    this.#offsets = reader.u32('postings.offsets')
    this.#postings = reader.u32('postings')
    this.#lengths = reader.u8('documents.lengths')
    this.documentCount = this.#lengths.length
    const mean = Math.max(1, reader.f32('documents.mean')[0]!)
    this.#lengthNorms = Float32Array.from({ length: 256 }, (_, length) => K1 * (1 - B + (B * length) / mean))
  }

  /** Number of a token's term, or -1. */
  find(token: string): number {
    return this.#terms.findText(token)
  }

  /** The commonest terms that begin with `prefix`, at most `limit`; looks at no more than `scanMax` terms. */
  withPrefix(prefix: string, limit: number, scanMax: number): number[] {
    const bytes = Buffer.from(prefix)
    const found: number[] = []
    const first = this.#firstNotBelow(bytes)
    for (let i = first; i < this.#sorted.length && i < first + scanMax; i++) {
      const term = this.#sorted[i]!
      if (this.#terms.comparePrefix(term, bytes) !== 0) break
      found.push(term)
    }
    return found.sort((a, b) => this.documentFrequency(b) - this.documentFrequency(a)).slice(0, limit)
  }

  /** How many documents hold the term. */
  documentFrequency(term: number): number {
    return this.#offsets[term + 1]! - this.#offsets[term]!
  }

  /** The term's postings, in document order. */
  postings(term: number): Uint32Array {
    return this.#postings.subarray(this.#offsets[term]!, this.#offsets[term + 1]!)
  }

  /** Inverse document frequency, always above 0 (the "+ 1" form of Lucene's BM25). */
  idf(term: number): number {
    const frequency = this.documentFrequency(term)
    return Math.log(1 + (this.documentCount - frequency + 0.5) / (frequency + 0.5))
  }

  /** BM25 weight of a term frequency in a document, without the idf. */
  weight(document: number, frequency: number): number {
    return (frequency * (K1 + 1)) / (frequency + this.#lengthNorms[this.#lengths[document]!]!)
  }

  #firstNotBelow(prefix: Uint8Array): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#terms.comparePrefix(this.#sorted[middle]!, prefix) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
