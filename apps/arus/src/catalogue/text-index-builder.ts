import { SORT_WORDS } from './byte-table.ts'
import type { FlatArray, FlatBlocks } from './flat-file.ts'
import type { Reordering } from './reordering.ts'
import { TextEntries } from './text-entries.ts'
import type { Rows, TextKernel } from './text-kernel.ts'
import { TokenList } from './tokenizer.ts'

/** A posting is `document * 8 + min(term frequency, 7)`: document order is posting order. */
export const POSTING_SHIFT = 3
/** Postings that are in memory at once, 4 bytes each, where no term has more. */
const BLOCK_POSTINGS = 1 << 22
/** In `Rows.names`: no name is part of the text. */
export const NO_NAME = 0xffff_ffff

/**
 * Collects an inverted index over texts. They are added in any order and numbered when all are there: by popularity, best
 * first, so whoever stops walking a list early has seen the best known ones. The distinct terms of each text wait in a file;
 * in memory are the terms, and a block of postings while it finishes. Texts in ASCII are read by the kernel, words beyond it
 * here.
 */
export class TextIndexBuilder {
  readonly #kernel: TextKernel
  readonly #blockPostings: number
  readonly #entries: TextEntries
  readonly #tokens = new TokenList()
  #tokenBytes: Buffer
  #tokenEnds: Uint32Array

  /** Files of its own are put into `folder`; `close` lets go of them. `blockPostings`: how many postings are in memory at once. */
  constructor(kernel: TextKernel, folder: string, blockPostings = BLOCK_POSTINGS) {
    this.#kernel = kernel
    this.#entries = new TextEntries(kernel, folder)
    this.#blockPostings = blockPostings
    this.#tokenBytes = kernel.room(0)
    this.#tokenEnds = kernel.words(0)
  }

  close(): void {
    this.#entries.close()
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

  /** The whole index as sections of a flat file, to be written once, before `close`; a text is a line of `order`. */
  sections(order: Reordering): Readonly<Record<string, FlatArray | FlatBlocks>> {
    const { exports, textCount, tokenCount, terms } = this.#kernel
    this.#entries.end()
    exports.countPostings()
    const offsets = this.#kernel.postingOffsets
    const blocks = blocksOf(offsets, this.#blockPostings)
    const postingCount = Math.max(0, ...blocks.map((block) => block.postingCount))
    // Terms are written before postings are made.
    const room = this.#kernel.words(Math.max(postingCount, SORT_WORDS * terms.count))
    return {
      ...terms.sections('terms'),
      'terms.sorted': terms.sorted(room),
      'postings.offsets': offsets,
      postings: {
        length: offsets.at(-1)!,
        like: new Uint32Array(0),
        [Symbol.iterator]: () => this.#postings(order, blocks, room),
      },
      'documents.lengths': order.byDocument(this.#entries.lengths),
      'documents.mean': new Float32Array([tokenCount / Math.max(1, textCount)]),
    }
  }

  /** All postings, a block of terms after the other, each in `room`. */
  *#postings(order: Reordering, blocks: readonly TermBlock[], room: Uint32Array): Generator<Uint32Array> {
    const { exports } = this.#kernel
    this.#entries.divide(
      order,
      blocks.map(({ first }) => first),
    )
    for (const [block, { first, end, postingCount }] of blocks.entries()) {
      exports.startPostings(first, end, room.byteOffset)
      for (const { words, document, documentCount } of this.#entries.buckets(block))
        exports.addPostings(words.byteOffset, words.length, document, documentCount)
      yield room.subarray(0, postingCount)
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

/** Terms `first` to `end`, and how many postings they have. */
interface TermBlock {
  readonly first: number
  readonly end: number
  readonly postingCount: number
}

/** The terms in blocks of up to `max` postings, or of one term that has more. */
function blocksOf(offsets: Uint32Array, max: number): TermBlock[] {
  const blocks: TermBlock[] = []
  const termCount = offsets.length - 1
  for (let first = 0; first < termCount; ) {
    let end = first + 1
    while (end < termCount && offsets[end + 1]! - offsets[first]! <= max) end++
    blocks.push({ first, end, postingCount: offsets[end]! - offsets[first]! })
    first = end
  }
  return blocks
}
