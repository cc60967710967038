import { join } from 'node:path'
import { ArusError } from '../errors.ts'
import { ByteList } from './byte-list.ts'
import { slotCountFor } from './byte-table.ts'
import { ColumnFile } from './column-file.ts'
import type { FlatBlocks } from './flat-file.ts'
import { HashSlots } from './hash-slots.ts'

/** Ids as `TextKernel.gatherIds` gives them. */
export interface GatheredIds {
  readonly bytes: Uint8Array
  /** Where each ends in `bytes`. */
  readonly ends: Uint32Array
  readonly hashes: Uint32Array
}

/** The ids of products by line, in files: what a `ByteTable` in memory would have. */
export class IdFile {
  readonly #folder: string
  readonly #bytes: ColumnFile<Uint8Array>
  readonly #ends: ColumnFile<Uint32Array>
  readonly #hashes: ColumnFile<Uint32Array>
  #slots: HashSlots | null = null
  /** Where `list` reads to. */
  #listBytes = new Uint8Array(0)
  #listEnds = new Uint32Array(0)

  /** Files of its own are put into `folder`; the caller removes them. */
  constructor(folder: string) {
    this.#folder = folder
    this.#bytes = new ColumnFile(join(folder, 'id_bytes'), Uint8Array)
    this.#ends = new ColumnFile(join(folder, 'id_ends'), Uint32Array)
    this.#hashes = new ColumnFile(join(folder, 'id_hashes'), Uint32Array)
  }

  get count(): number {
    return this.#ends.count
  }

  append({ bytes, ends, hashes }: GatheredIds): void {
    const before = this.#bytes.count
    this.#bytes.append(bytes)
    this.#ends.append(ends.map((end) => before + end))
    this.#hashes.append(hashes)
  }

  /** The ids of some lines, the first being number 0; gone with the next list. */
  list(first: number, count: number): ByteList {
    if (count > this.#listEnds.length) this.#listEnds = new Uint32Array(count)
    const start = first === 0 ? 0 : this.#ends.read(new Uint32Array(1), { first: first - 1, count: 1 })[0]!
    const ends = this.#ends.read(this.#listEnds, { first, count })
    for (let n = 0; n < count; n++) ends[n]! -= start
    const byteCount = ends.at(-1) ?? 0
    if (byteCount > this.#listBytes.length) this.#listBytes = new Uint8Array(byteCount + (byteCount >> 2))
    return new ByteList(this.#bytes.read(this.#listBytes, { first: start, count: byteCount }), ends)
  }

  /** As sections that `ByteTable.load` reads, to be written before `close`. Throws `INTERNAL` when an id comes twice. */
  sections(prefix: string): Readonly<Record<string, FlatBlocks>> {
    this.#slots = new HashSlots(this.#hashes, {
      file: join(this.#folder, 'id_slots'),
      slotCount: slotCountFor(this.count),
      refuseSame: (left, right) => this.#refuseSame(left, right),
    })
    return {
      [`${prefix}.bytes`]: this.#bytes.blocks(),
      [`${prefix}.ends`]: this.#ends.blocks(),
      [`${prefix}.slots`]: this.#slots,
    }
  }

  close(): void {
    for (const file of [this.#bytes, this.#ends, this.#hashes, this.#slots]) file?.close()
  }

  #refuseSame(left: number, right: number): void {
    const id = this.list(left, 1).text(0)
    if (id !== this.list(right, 1).text(0)) return
    throw new ArusError('INTERNAL', `Product id ${id} came twice; products must be de-duplicated`)
  }
}
