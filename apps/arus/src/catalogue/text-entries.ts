import { join } from 'node:path'
import { ColumnFile } from './column-file.ts'
import type { Reordering } from './reordering.ts'
import { SpillFile } from './spill-file.ts'
import type { TextKernel } from './text-kernel.ts'

/** Documents of a bucket: `BUCKET_BITS` of `assembly/text-index.ts`. */
const BUCKET_DOCUMENTS = 1 << 16

/** Where in a file words stand. */
interface Piece {
  readonly position: number
  readonly wordCount: number
}

/** Of texts one after the other. */
interface Segment extends Piece {
  readonly textCount: number
}

/** Entries of some documents, in any order. */
export interface Bucket {
  /** In the kernel's memory, and gone with the next bucket. */
  readonly words: Uint32Array
  /** The first document, and how many there are. */
  readonly document: number
  readonly documentCount: number
}

/**
 * The distinct terms of texts, of which there are more than memory is given: they wait in a file in the order in which the
 * texts came, and are written to another by buckets of documents once these are known.
 */
export class TextEntries {
  /** Of each text, in the order in which they came: how many tokens it has, as far as a byte goes; complete after `end`. */
  readonly lengths: ColumnFile<Uint8Array>
  readonly #kernel: TextKernel
  readonly #added: SpillFile
  readonly #divided: SpillFile
  readonly #segments: Segment[] = []
  readonly #buckets: Piece[][] = []
  #documentCount = 0
  /** Buckets of a block. */
  #perBlock = 0
  #room: Uint32Array = new Uint32Array()

  constructor(kernel: TextKernel, folder: string) {
    this.#kernel = kernel
    this.#added = new SpillFile(join(folder, 'text_entries'))
    this.#divided = new SpillFile(join(folder, 'divided_entries'))
    this.lengths = new ColumnFile(join(folder, 'text_lengths'), Uint8Array)
    kernel.handTo({
      segment: (words, lengths) => {
        this.#segments.push({ ...pieceOf(this.#added, words), textCount: lengths.length })
        this.lengths.append(lengths)
      },
      chunk: (bucket, words) => this.#buckets[bucket]!.push(pieceOf(this.#divided, words)),
    })
  }

  /** To be called when all texts are added. */
  end(): void {
    this.#kernel.exports.endSegment()
  }

  /**
   * Divides the entries of the texts among buckets: by blocks of terms, whose first terms are given, and by documents; a text is
   * a line of `order`.
   */
  divide({ count, documents }: Reordering, firstTerms: readonly number[]): void {
    const { exports } = this.#kernel
    this.#documentCount = count
    this.#perBlock = Math.ceil(count / BUCKET_DOCUMENTS)
    for (let bucket = 0; bucket < this.#perBlock * firstTerms.length; bucket++) this.#buckets.push([])
    const terms = this.#kernel.words(firstTerms.length)
    terms.set(firstTerms)
    exports.startBuckets(count, firstTerms.length, terms.byteOffset)
    const room = this.#kernel.words(Math.max(0, ...this.#segments.map(({ textCount }) => textCount)))
    let first = 0
    for (const segment of this.#segments) {
      const { byteOffset, length } = this.#read(this.#added, [segment])
      documents.read(room, { first, count: segment.textCount })
      exports.divide(byteOffset, length, room.byteOffset)
      first += segment.textCount
    }
    exports.endBuckets()
  }

  /** The buckets of a block, in the order of documents. */
  *buckets(block: number): Generator<Bucket> {
    const first = block * this.#perBlock
    for (const [n, pieces] of this.#buckets.slice(first, first + this.#perBlock).entries()) {
      const document = n * BUCKET_DOCUMENTS
      const documentCount = Math.min(BUCKET_DOCUMENTS, this.#documentCount - document)
      yield { words: this.#read(this.#divided, pieces), document, documentCount }
    }
  }

  close(): void {
    this.lengths.close()
    this.#added.close()
    this.#divided.close()
  }

  #read(file: SpillFile, pieces: readonly Piece[]): Uint32Array {
    const wordCount = pieces.reduce((sum, piece) => sum + piece.wordCount, 0)
    if (this.#room.length < wordCount) this.#room = this.#kernel.words(wordCount + (wordCount >> 2))
    let at = 0
    for (const { position, wordCount: count } of pieces) {
      file.read(this.#room.subarray(at, at + count), position)
      at += count
    }
    return this.#room.subarray(0, wordCount)
  }
}

function pieceOf(file: SpillFile, words: Uint32Array): Piece {
  return { position: file.append(words), wordCount: words.length }
}
