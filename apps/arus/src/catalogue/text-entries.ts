import { join } from 'node:path'
import { SpillFile } from './spill-file.ts'
import type { TextKernel } from './text-kernel.ts'

/** Documents of a bucket: `BUCKET_BITS` of `assembly/text-index.ts`. */
const BUCKET_DOCUMENTS = 1 << 16

/** Where in a file words stand. */
interface Piece {
  readonly position: number
  readonly wordCount: number
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
  readonly #kernel: TextKernel
  readonly #added: SpillFile
  readonly #divided: SpillFile
  readonly #segments: Piece[] = []
  readonly #buckets: Piece[][] = []
  #documentCount = 0
  /** Buckets of a block. */
  #perBlock = 0
  #room: Uint32Array = new Uint32Array()

  constructor(kernel: TextKernel, folder: string) {
    this.#kernel = kernel
    this.#added = new SpillFile(join(folder, 'text_entries'))
    this.#divided = new SpillFile(join(folder, 'divided_entries'))
    kernel.handTo({
      segment: (words) => this.#segments.push(pieceOf(this.#added, words)),
      chunk: (bucket, words) => this.#buckets[bucket]!.push(pieceOf(this.#divided, words)),
    })
  }

  /**
   * Divides the entries of the texts, all of which are added, among buckets: by blocks of terms, whose first terms are given,
   * and by documents, `TextKernel.documentsOf`.
   */
  divide(documentOf: Uint32Array, firstTerms: readonly number[]): void {
    const { exports } = this.#kernel
    exports.endSegment()
    this.#documentCount = documentOf.length
    this.#perBlock = Math.ceil(documentOf.length / BUCKET_DOCUMENTS)
    for (let bucket = 0; bucket < this.#perBlock * firstTerms.length; bucket++) this.#buckets.push([])
    const terms = this.#kernel.words(firstTerms.length)
    terms.set(firstTerms)
    exports.startBuckets(documentOf.length, firstTerms.length, terms.byteOffset)
    let text = 0
    for (const segment of this.#segments) {
      const { byteOffset, length } = this.#read(this.#added, [segment])
      text = exports.divide(byteOffset, length, documentOf.byteOffset, text)
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
