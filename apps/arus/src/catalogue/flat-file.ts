import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { ArusError } from '../errors.ts'

/** Named typed arrays (and one JSON value) in one file that is read back without parsing: views over one buffer. */
export type FlatSections = Readonly<Record<string, FlatArray>>

export type FlatArray = Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array

/** A section that is made a block at a time as it is written; each block is gone with the next. */
export interface FlatBlocks extends Iterable<FlatArray> {
  /** Values of all blocks together. */
  readonly length: number
  /** An array of its kind. */
  readonly like: FlatArray
}

interface SectionEntry {
  readonly name: string
  readonly kind: keyof typeof KINDS
  readonly byteOffset: number
  readonly length: number
}

const KINDS = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const
const MAGIC = 0x41525531
const ALIGNMENT = 8
const HEADER_BYTES = 16
/** Larger ones take pages of memory that a virtual machine may have to be lent first: docs/BENCHMARKS.md. */
const WRITE_BLOCK_BYTES = 1 << 18

/**
 * Writes sections to a new file and fsyncs it. Layout, little-endian: magic, length of the directory in bytes, length of
 * the file (f64); the directory as JSON; then each section on a multiple of 8 bytes.
 */
export function writeFlatFile(
  file: string,
  sections: Readonly<Record<string, FlatArray | FlatBlocks>>,
): void {
  const entries: SectionEntry[] = []
  let byteOffset = 0
  for (const [name, section] of Object.entries(sections)) {
    entries.push({ name, kind: kindOf(likeOf(section)), byteOffset, length: section.length })
    byteOffset = aligned(byteOffset + byteLengthOf(section))
  }
  const directory = Buffer.from(JSON.stringify(entries))
  const bodyOffset = aligned(HEADER_BYTES + directory.length)
  const head = Buffer.alloc(bodyOffset)
  head.writeUInt32LE(MAGIC, 0)
  head.writeUInt32LE(directory.length, 4)
  head.writeDoubleLE(bodyOffset + byteOffset, 8)
  directory.copy(head, HEADER_BYTES)
  const descriptor = openSync(file, 'wx')
  try {
    writeAll(descriptor, head)
    for (const section of Object.values(sections)) {
      const byteLength = byteLengthOf(section)
      for (const block of isBlocks(section) ? section : [section])
        writeAll(descriptor, new Uint8Array(block.buffer, block.byteOffset, block.byteLength))
      writeAll(descriptor, new Uint8Array(aligned(byteLength) - byteLength))
    }
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Sections of a file written by `writeFlatFile`, as views over one buffer. Throws `FILE_UNREADABLE` when it is not one. */
export function readFlatFile(file: string): FlatReader {
  const bytes = readFileSync(file)
  if (
    bytes.length < HEADER_BYTES ||
    bytes.readUInt32LE(0) !== MAGIC ||
    bytes.readDoubleLE(8) !== bytes.length
  ) {
    throw new ArusError(
      'FILE_UNREADABLE',
      `${file} is not a whole catalogue index; import the catalogue again`,
    )
  }
  const directoryBytes = bytes.readUInt32LE(4)
  const entries: SectionEntry[] = JSON.parse(
    bytes.toString('utf8', HEADER_BYTES, HEADER_BYTES + directoryBytes),
  )
  return new FlatReader(file, bytes, entries, aligned(HEADER_BYTES + directoryBytes))
}

/** Typed views of a flat file's sections by name. */
export class FlatReader {
  readonly #file: string
  readonly #bytes: Buffer
  readonly #entries: Map<string, SectionEntry>
  readonly #bodyOffset: number

  constructor(file: string, bytes: Buffer, entries: readonly SectionEntry[], bodyOffset: number) {
    this.#file = file
    this.#bytes = bytes
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]))
    this.#bodyOffset = bodyOffset
  }

  u8(name: string): Uint8Array {
    return this.#view(name, Uint8Array, 'u8')
  }

  u16(name: string): Uint16Array {
    return this.#view(name, Uint16Array, 'u16')
  }

  u32(name: string): Uint32Array {
    return this.#view(name, Uint32Array, 'u32')
  }

  f32(name: string): Float32Array {
    return this.#view(name, Float32Array, 'f32')
  }

  f64(name: string): Float64Array {
    return this.#view(name, Float64Array, 'f64')
  }

  #view<T>(
    name: string,
    View: new (b: ArrayBufferLike, o: number, l: number) => T,
    kind: SectionEntry['kind'],
  ): T {
    const entry = this.#entries.get(name)
    if (entry?.kind !== kind) {
      throw new ArusError(
        'FILE_UNREADABLE',
        `${this.#file} has no section ${name}; import the catalogue again`,
      )
    }
    return new View(
      this.#bytes.buffer,
      this.#bytes.byteOffset + this.#bodyOffset + entry.byteOffset,
      entry.length,
    )
  }
}

function isBlocks(section: FlatArray | FlatBlocks): section is FlatBlocks {
  return 'like' in section
}

function likeOf(section: FlatArray | FlatBlocks): FlatArray {
  return isBlocks(section) ? section.like : section
}

function byteLengthOf(section: FlatArray | FlatBlocks): number {
  return section.length * likeOf(section).BYTES_PER_ELEMENT
}

function kindOf(array: FlatArray): SectionEntry['kind'] {
  if (array instanceof Uint8Array) return 'u8'
  if (array instanceof Uint16Array) return 'u16'
  if (array instanceof Uint32Array) return 'u32'
  if (array instanceof Float32Array) return 'f32'
  return 'f64'
}

function aligned(byteCount: number): number {
  return Math.ceil(byteCount / ALIGNMENT) * ALIGNMENT
}

/** Writes all of the bytes where the file stands. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) {
    offset += writeSync(descriptor, bytes, offset, Math.min(WRITE_BLOCK_BYTES, bytes.length - offset))
  }
}
