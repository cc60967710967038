import assert from 'node:assert'
import { ByteTable } from './byte-table.ts'
import type { FlatSections } from './flat-file.ts'
import { TokenList } from './tokenizer.ts'

/** A posting is `document * 8 + min(term frequency, 7)`: document order is posting order. */
export const POSTING_SHIFT = 3
const FREQUENCY_MAX = 7
const DOCUMENT_LENGTH_MAX = 255
/** Entries are kept in segments of this many, so that nothing is copied as they grow. */
const SEGMENT_BITS = 20
const SEGMENT_ENTRIES = 1 << SEGMENT_BITS
const NO_TERMS = new Uint32Array(0)

/**
 * Collects an inverted index over texts. They are added in any order and numbered when all are there: by popularity, best
 * first, so whoever stops walking a list early has seen the best known ones. Memory: 4 bytes for each distinct term of a
 * text, twice while it finishes.
 */
export class TextIndexBuilder {
  readonly #terms = ByteTable.empty()
  readonly #tokens = new TokenList()
  /** Per text its distinct terms: `term * 8 + frequency`, never over two segments. */
  readonly #segments: Uint32Array[] = []
  #segment = new Uint32Array(0)
  #used = 0
  /** By term: in how many texts it stands. */
  #frequencies = new Uint32Array(1 << 12)
  /** By term: where in the order of all entries it was last written, plus 1. */
  #lastEntryOf = new Uint32Array(1 << 12)
  /** By text: where its entries begin, how many they are, and how many tokens it had. */
  #starts = new Uint32Array(1 << 12)
  #entryCounts = new Uint32Array(1 << 12)
  #lengths = new Uint8Array(1 << 12)
  #textCount = 0
  #tokenCount = 0
  #start = 0

  /** Terms of a text that is to be part of many, such as the name of a category. */
  termsOf(text: Buffer): Uint32Array {
    this.#tokens.read(text, 0, text.length)
    return Uint32Array.from({ length: this.#tokens.count }, (_, token) => this.#termOf(token))
  }

  /** Adds the next text: the tokens of the UTF-8 in `bytes[range.from, range.to)`, and the terms `alsoNamed`. */
  add(
    bytes: Buffer,
    range: { readonly from: number; readonly to: number },
    alsoNamed: Uint32Array = NO_TERMS,
  ): void {
    const tokens = this.#tokens
    tokens.read(bytes, range.from, range.to)
    const tokenCount = tokens.count + alsoNamed.length
    this.#reserve(tokenCount)
    this.#start = ((this.#segments.length - 1) << SEGMENT_BITS) + this.#used
    for (let token = 0; token < tokens.count; token++) this.#count(this.#termOf(token))
    for (let i = 0; i < alsoNamed.length; i++) this.#count(alsoNamed[i]!)
    this.#close(tokenCount)
  }

  /** The whole index as sections of a flat file; `order[document]` says which text it is. */
  sections(order?: Uint32Array): FlatSections {
    const documents = order ?? Uint32Array.from(this.#starts.subarray(0, this.#textCount).keys())
    const offsets = this.#postingOffsets()
    return {
      ...this.#terms.sections('terms'),
      'terms.sorted': this.#terms.sorted(),
      'postings.offsets': offsets,
      postings: this.#postings(offsets, documents),
      'documents.lengths': this.#lengthsBy(documents),
      'documents.mean': new Float32Array([this.#tokenCount / Math.max(1, this.#textCount)]),
    }
  }

  /** Number of the term that a token of `#tokens` is. */
  #termOf(token: number): number {
    const { bytes, ends } = this.#tokens
    const term = this.#terms.intern(bytes, token === 0 ? 0 : ends[token - 1]!, ends[token]!)
    if (term >= this.#lastEntryOf.length) this.#growTerms()
    return term
  }

  #reserve(entryCount: number): void {
    if (this.#used + entryCount <= this.#segment.length) return
    assert(entryCount <= SEGMENT_ENTRIES, 'a title is longer than an import takes')
    this.#segment = new Uint32Array(SEGMENT_ENTRIES)
    this.#segments.push(this.#segment)
    this.#used = 0
  }

  #count(term: number): void {
    const last = this.#lastEntryOf[term]!
    if (last > this.#start) {
      const at = (last - 1) & (SEGMENT_ENTRIES - 1)
      if ((this.#segment[at]! & FREQUENCY_MAX) < FREQUENCY_MAX) this.#segment[at]!++
      return
    }
    this.#frequencies[term]!++
    this.#segment[this.#used++] = ((term << POSTING_SHIFT) >>> 0) + 1
    this.#lastEntryOf[term] = ((this.#segments.length - 1) << SEGMENT_BITS) + this.#used
  }

  #close(tokenCount: number): void {
    const text = this.#textCount++
    if (text >= this.#starts.length) {
      this.#starts = grown(this.#starts, Uint32Array)
      this.#entryCounts = grown(this.#entryCounts, Uint32Array)
      this.#lengths = grown(this.#lengths, Uint8Array)
    }
    this.#starts[text] = this.#start
    this.#entryCounts[text] = ((this.#segments.length - 1) << SEGMENT_BITS) + this.#used - this.#start
    this.#lengths[text] = Math.min(DOCUMENT_LENGTH_MAX, tokenCount)
    this.#tokenCount += tokenCount
  }

  #growTerms(): void {
    this.#lastEntryOf = grown(this.#lastEntryOf, Uint32Array)
    this.#frequencies = grown(this.#frequencies, Uint32Array)
  }

  /** Where each term's postings begin; one more entry marks the end. */
  #postingOffsets(): Uint32Array {
    const offsets = new Uint32Array(this.#terms.count + 1)
    for (let term = 0; term < this.#terms.count; term++) {
      offsets[term + 1] = offsets[term]! + this.#frequencies[term]!
    }
    return offsets
  }

  #lengthsBy(order: Uint32Array): Uint8Array {
    const lengths = new Uint8Array(order.length)
    for (let document = 0; document < order.length; document++)
      lengths[document] = this.#lengths[order[document]!]!
    return lengths
  }

  /** Documents in order, so each term's postings come out in order. */
  #postings(offsets: Uint32Array, order: Uint32Array): Uint32Array {
    const postings = new Uint32Array(offsets.at(-1)!)
    const next = offsets.slice(0, -1)
    for (let document = 0; document < order.length; document++) {
      const text = order[document]!
      const start = this.#starts[text]!
      const segment = this.#segments[start >>> SEGMENT_BITS]!
      const from = start & (SEGMENT_ENTRIES - 1)
      const to = from + this.#entryCounts[text]!
      const posting = (document << POSTING_SHIFT) >>> 0
      for (let i = from; i < to; i++) {
        const entry = segment[i]!
        postings[next[entry >>> POSTING_SHIFT]!++] = posting + (entry & FREQUENCY_MAX)
      }
    }
    return postings
  }
}

function grown<T extends Uint8Array | Uint32Array>(array: T, Kind: new (length: number) => T): T {
  const larger = new Kind(array.length * 2)
  larger.set(array)
  return larger
}
