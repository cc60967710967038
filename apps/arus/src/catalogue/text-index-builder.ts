import type { FlatSections } from './flat-file.ts'
import { gathered } from './gather.ts'
import { type Rows, TextKernel } from './text-kernel.ts'
import { TokenList } from './tokenizer.ts'

/** A posting is `document * 8 + min(term frequency, 7)`: document order is posting order. */
export const POSTING_SHIFT = 3
const DOCUMENTS_PER_CALL = 1 << 13
/** In `Rows.names`: no name is part of the text. */
export const NO_NAME = 0xffff_ffff

/**
 * Collects an inverted index over texts. They are added in any order and numbered when all are there: by popularity, best
 * first, so whoever stops walking a list early has seen the best known ones. Memory: 4 bytes for each distinct term of a
 * text, twice while it finishes. Texts in ASCII are read by the kernel, words beyond it here.
 */
export class TextIndexBuilder {
  readonly #kernel: TextKernel
  readonly #tokens = new TokenList()
  #tokenBytes: Buffer
  #tokenEnds: Uint32Array

  constructor(kernel = new TextKernel()) {
    this.#kernel = kernel
    this.#tokenBytes = kernel.room(0)
    this.#tokenEnds = kernel.words(0)
  }

  /** Texts that are part of many, such as the names of categories: `Rows.names` are their numbers. */
  setNames(names: readonly string[]): void {
    const terms = names.map((name) => this.#termsOf(Buffer.from(name)))
    const starts = this.#kernel.words(names.length + 1)
    starts[0] = 0
    for (const [n, list] of terms.entries()) starts[n + 1] = starts[n]! + list.length
    const all = this.#kernel.words(starts[names.length]!)
    all.set(terms.flat())
    this.#kernel.exports.setNames(starts.byteOffset, all.byteOffset)
  }

  /** Adds the next text: the UTF-8 in `bytes[range.from, range.to)`. */
  add(bytes: Uint8Array, { from, to }: { readonly from: number; readonly to: number }): void {
    const rows = this.#kernel.rows(1)
    rows.titleStarts[0] = this.#kernel.load(bytes.subarray(from, to))
    rows.titleBytes[0] = to - from
    rows.names[0] = NO_NAME
    this.addRows(rows, 1)
  }

  /** Adds the next texts: the titles of the first `count` rows, each with the words of its name. */
  addRows({ titleStarts, titleBytes, names }: Rows, count: number): void {
    const { exports } = this.#kernel
    const places = [titleStarts.byteOffset, titleBytes.byteOffset, names.byteOffset] as const
    for (let row = 0; ; row++) {
      row = exports.addTexts(row, count, ...places)
      if (row === count) return
      const from = exports.stoppedAt()
      this.#read(this.#kernel.bytesAt(from, titleStarts[row]! + titleBytes[row]! - from))
      exports.addTokens(this.#tokenBytes.byteOffset, this.#tokenEnds.byteOffset, this.#tokens.count)
    }
  }

  /** The whole index as sections of a flat file; `order[document]` says which text it is. */
  sections(order?: Uint32Array): FlatSections {
    const { exports, textCount, tokenCount, terms, lengths } = this.#kernel
    const documents = order ?? Uint32Array.from({ length: textCount }, (_, text) => text)
    const itsOrder = this.#kernel.words(documents.length)
    itsOrder.set(documents)
    exports.startPostings()
    for (let first = 0; first < documents.length; first += DOCUMENTS_PER_CALL)
      exports.addPostings(itsOrder.byteOffset, first, Math.min(first + DOCUMENTS_PER_CALL, documents.length))
    const { offsets, postings } = this.#kernel.postings
    return {
      ...terms.sections('terms'),
      'terms.sorted': terms.sorted(),
      'postings.offsets': offsets,
      postings,
      'documents.lengths': gathered(lengths, documents),
      'documents.mean': new Float32Array([tokenCount / Math.max(1, textCount)]),
    }
  }

  #termsOf(text: Buffer): number[] {
    this.#read(text)
    const { byteOffset } = this.#tokenBytes
    return Array.from({ length: this.#tokens.count }, (_, token) => {
      const from = token === 0 ? 0 : this.#tokenEnds[token - 1]!
      return this.#kernel.exports.termOf(byteOffset + from, this.#tokenEnds[token]! - from)
    })
  }

  /** Cuts a text into tokens, and puts them where the kernel finds them. */
  #read(text: Buffer): void {
    const tokens = this.#tokens
    tokens.read(text, 0, text.length)
    const byteCount = tokens.count === 0 ? 0 : tokens.ends[tokens.count - 1]!
    if (byteCount > this.#tokenBytes.length) this.#tokenBytes = this.#kernel.room(2 * byteCount)
    if (tokens.count > this.#tokenEnds.length) this.#tokenEnds = this.#kernel.words(2 * tokens.count)
    this.#tokenBytes.set(tokens.bytes.subarray(0, byteCount))
    this.#tokenEnds.set(tokens.ends.subarray(0, tokens.count))
  }
}
