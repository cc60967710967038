import { ByteTable } from './byte-table.ts'
import type { FlatReader, FlatSections } from './flat-file.ts'
import { forEachToken, TOKEN_BYTES_MAX } from './tokenizer.ts'

/** A posting is `document * 8 + min(term frequency, 7)`: document order is posting order. */
export const POSTING_SHIFT = 3
const FREQUENCY_MAX = 7
const DOCUMENT_LENGTH_MAX = 255

/** BM25 constants (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", eq. 3.15). */
const K1 = 1.2
const B = 0.75

/**
 * Collects an inverted index, documents added in order of their number. Documents are numbered by popularity, best first,
 * so whoever stops walking a list early has seen the best known ones. Memory: 4 bytes a token, twice while it finishes.
 */
export class TextIndexBuilder {
  readonly #terms = new ByteTable()
  readonly #scratch = new Uint8Array(TOKEN_BYTES_MAX)
  /** Per document its distinct terms: `term * 8 + frequency`, concatenated. */
  #entries = new Uint32Array(1 << 16)
  #entryCount = 0
  #documentStart = 0
  #documentEnds = new Uint32Array(1 << 12)
  #documentLengths = new Uint8Array(1 << 12)
  #documentCount = 0
  #tokenCount = 0
  #documentLength = 0
  readonly #onToken = (byteCount: number): void => {
    this.#documentLength++
    this.#count(this.#terms.intern(this.#scratch, 0, byteCount))
  }
  /** Where in `#entries` each term was last written, plus 1. */
  #lastEntryOf = new Uint32Array(1 << 12)

  /** Adds the next document: the tokens of the UTF-8 text in `bytes[from, to)`, and those of `alsoNamed`. */
  add(bytes: Buffer, from: number, to: number, alsoNamed: Buffer): void {
    this.#documentStart = this.#entryCount
    this.#documentLength = 0
    forEachToken(bytes, { from, to }, this.#scratch, this.#onToken)
    forEachToken(alsoNamed, { from: 0, to: alsoNamed.length }, this.#scratch, this.#onToken)
    this.#closeDocument(this.#documentLength)
  }

  /** The whole index as sections of a flat file. */
  sections(): FlatSections {
    const offsets = this.#postingOffsets()
    return {
      ...this.#terms.sections('terms'),
      'terms.sorted': sortedTerms(this.#terms),
      'postings.offsets': offsets,
      postings: this.#postings(offsets),
      'documents.lengths': this.#documentLengths.subarray(0, this.#documentCount),
      'documents.mean': new Float32Array([this.#tokenCount / Math.max(1, this.#documentCount)]),
    }
  }

  #count(term: number): void {
    if (term >= this.#lastEntryOf.length) this.#lastEntryOf = grown(this.#lastEntryOf, Uint32Array)
    const last = this.#lastEntryOf[term]!
    if (last > this.#documentStart) {
      if ((this.#entries[last - 1]! & FREQUENCY_MAX) < FREQUENCY_MAX) this.#entries[last - 1]!++
      return
    }
    if (this.#entryCount >= this.#entries.length) this.#entries = grown(this.#entries, Uint32Array)
    this.#entries[this.#entryCount++] = ((term << POSTING_SHIFT) >>> 0) + 1
    this.#lastEntryOf[term] = this.#entryCount
  }

  #closeDocument(length: number): void {
    const document = this.#documentCount++
    if (document >= this.#documentEnds.length) {
      this.#documentEnds = grown(this.#documentEnds, Uint32Array)
      this.#documentLengths = grown(this.#documentLengths, Uint8Array)
    }
    this.#documentEnds[document] = this.#entryCount
    this.#documentLengths[document] = Math.min(DOCUMENT_LENGTH_MAX, length)
    this.#tokenCount += length
  }

  /** Counting sort, first pass: where each term's postings begin; one more entry marks the end. */
  #postingOffsets(): Uint32Array {
    const offsets = new Uint32Array(this.#terms.count + 1)
    for (let i = 0; i < this.#entryCount; i++) offsets[(this.#entries[i]! >>> POSTING_SHIFT) + 1]!++
    for (let term = 0; term < this.#terms.count; term++) offsets[term + 1]! += offsets[term]!
    return offsets
  }

  /** Second pass: documents in order, so each term's postings come out in order. */
  #postings(offsets: Uint32Array): Uint32Array {
    const postings = new Uint32Array(this.#entryCount)
    const next = offsets.slice(0, -1)
    let i = 0
    for (let document = 0; document < this.#documentCount; document++) {
      for (const end = this.#documentEnds[document]!; i < end; i++) {
        const entry = this.#entries[i]!
        postings[next[entry >>> POSTING_SHIFT]!++] =
          ((document << POSTING_SHIFT) >>> 0) + (entry & FREQUENCY_MAX)
      }
    }
    return postings
  }
}

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

function sortedTerms(terms: ByteTable): Uint32Array {
  const order = new Uint32Array(terms.count)
  for (let term = 0; term < order.length; term++) order[term] = term
  return order.sort((a, b) => terms.compare(a, b))
}

function grown<T extends Uint8Array | Uint32Array>(array: T, Kind: new (length: number) => T): T {
  const larger = new Kind(array.length * 2)
  larger.set(array)
  return larger
}
