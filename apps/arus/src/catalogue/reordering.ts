import { join } from 'node:path'
import { BLOCK_VALUES, ColumnFile } from './column-file.ts'
import type { FlatArray, FlatBlocks } from './flat-file.ts'
import { KeyGroups } from './key-groups.ts'

/** Documents whose values are put in order at once. */
const GROUP_BITS = 19

/**
 * Lines and documents, each by the number of the other, in files: columns by line become columns by document, however many
 * there are, in memory of a few megabytes.
 */
export class Reordering {
  /** By document. */
  readonly lines: ColumnFile<Uint32Array>
  /** By line. */
  readonly documents: ColumnFile<Uint32Array>
  readonly #toDocuments: Placing

  /**
   * `lines`: of every document, in blocks. Files of its own are put into `folder`, which the caller removes. `groupBits`: as many
   * documents, a power of two, are put in order at once.
   */
  constructor(folder: string, lines: Iterable<Uint32Array>, groupBits = GROUP_BITS) {
    this.lines = new ColumnFile(join(folder, 'lines'), Uint32Array)
    this.documents = new ColumnFile(join(folder, 'documents'), Uint32Array)
    for (const block of lines) this.lines.append(block)
    const toLines = new Placing(this.lines, join(folder, 'to_lines'), groupBits)
    try {
      for (const block of toLines.placed(new Numbers())) this.documents.append(block)
    } finally {
      toLines.close()
    }
    this.#toDocuments = new Placing(this.documents, join(folder, 'to_documents'), groupBits)
  }

  get count(): number {
    return this.lines.count
  }

  /** A column by line as one by document, made as its section is written: its blocks are gone with the next of any column. */
  byDocument(column: Column): FlatBlocks {
    return {
      length: this.count,
      like: column.like,
      [Symbol.iterator]: () => this.#toDocuments.placed(column),
    }
  }

  close(): void {
    this.lines.close()
    this.documents.close()
    this.#toDocuments.close()
  }
}

/** Puts value n of a column at place n of another. */
class Placing {
  readonly #count: number
  readonly #groupBits: number
  readonly #places: KeyGroups
  readonly #room: ArrayBuffer
  readonly #memory = new Float64Array(BLOCK_VALUES)

  constructor(places: ColumnFile<Uint32Array>, file: string, groupBits: number) {
    this.#count = places.count
    this.#groupBits = groupBits
    const groupCount = Math.ceil(this.#count / 2 ** groupBits)
    this.#places = new KeyGroups(places, { file, groupCount, mask: 0xffff_ffff, shift: groupBits })
    this.#room = new ArrayBuffer(Float64Array.BYTES_PER_ELEMENT * Math.min(2 ** groupBits, this.#count))
  }

  /** The column as it is then, a block after the other. */
  *placed<T extends FlatArray>(column: Column<T>): Generator<T> {
    const room = new (column.like.constructor as new (memory: ArrayBuffer) => T)(this.#room)
    const groupSize = 2 ** this.#groupBits
    for (let group = 0; group * groupSize < this.#count; group++) {
      const start = group * groupSize
      const block = room.subarray(0, Math.min(groupSize, this.#count - start)) as T
      for (const { keys, numbers, first, count } of this.#places.of(group))
        place(column.read(this.#memory, { first, count }), numbers, keys, { block, start })
      yield block
    }
  }

  close(): void {
    this.#places.close()
  }
}

type Column<T extends FlatArray = FlatArray> = Pick<ColumnFile<T>, 'like' | 'read'>

/** The column 0, 1, 2, … */
class Numbers implements Column<Uint32Array> {
  readonly like = new Uint32Array(0)

  read({ buffer, byteOffset }: ArrayBufferView, { first, count }: { first: number; count: number }) {
    const values = new Uint32Array(buffer, byteOffset, count)
    for (let n = 0; n < count; n++) values[n] = first + n
    return values
  }
}

/** Where values go: place `start` is the block's first. */
interface Target<T extends FlatArray = FlatArray> {
  readonly block: T
  readonly start: number
}

/** Puts the values of these numbers at their places. */
function place(values: FlatArray, numbers: Uint16Array, places: Uint32Array, target: Target): void {
  const { block, start } = target
  // One function a kind of array: a loop that sees several is compiled for none.
  if (values instanceof Float64Array) place64(values, numbers, places, target as Target<Float64Array>)
  else if (values instanceof Uint16Array) place16(values, numbers, places, target as Target<Uint16Array>)
  else if (values instanceof Uint8Array) place8(values, numbers, places, target as Target<Uint8Array>)
  else place32(bits32(values), numbers, places, { block: bits32(block), start })
}

function bits32(values: FlatArray): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length)
}

function place64(
  values: Float64Array,
  numbers: Uint16Array,
  places: Uint32Array,
  { block, start }: Target<Float64Array>,
): void {
  for (let i = 0; i < places.length; i++) block[places[i]! - start] = values[numbers[i]!]!
}

function place32(
  values: Uint32Array,
  numbers: Uint16Array,
  places: Uint32Array,
  { block, start }: Target<Uint32Array>,
): void {
  for (let i = 0; i < places.length; i++) block[places[i]! - start] = values[numbers[i]!]!
}

function place16(
  values: Uint16Array,
  numbers: Uint16Array,
  places: Uint32Array,
  { block, start }: Target<Uint16Array>,
): void {
  for (let i = 0; i < places.length; i++) block[places[i]! - start] = values[numbers[i]!]!
}

function place8(
  values: Uint8Array,
  numbers: Uint16Array,
  places: Uint32Array,
  { block, start }: Target<Uint8Array>,
): void {
  for (let i = 0; i < places.length; i++) block[places[i]! - start] = values[numbers[i]!]!
}
