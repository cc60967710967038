import { crc32 } from 'node:zlib'
import { RecommenderError } from './errors.ts'

/** What a model file can hold: arrays, and other files. */
export type Section = Uint8Array | Uint32Array | Float32Array | Float64Array | FileParts

/**
 * A file, part after part: views of what it is made of, none of which is copied, so that it must stay as it is until the file is written
 * (`writeFile` of Node takes parts as they are) or sent to another thread, to which buffers can be transferred.
 */
export type FileParts = readonly Uint8Array[]

/** A model file, opened: views into its bytes, nothing copied. */
export interface ModelFile {
  readonly kind: string
  readonly meta: Readonly<Record<string, unknown>>
  u8(name: string): Uint8Array
  u32(name: string): Uint32Array
  f32(name: string): Float32Array
}

interface SectionHeader {
  readonly name: string
  readonly type: 'u8' | 'u32' | 'f32' | 'f64'
  readonly offset: number
  readonly length: number
}

interface Header {
  readonly kind: string
  readonly meta: Readonly<Record<string, unknown>>
  readonly sections: readonly SectionHeader[]
}

const MAGIC = 'ARUSMDL1'
const ALIGNMENT = 8
const PREFIX_BYTES = 16
/** Fills what is left of the header's room. */
const SPACE = 0x20

/**
 * The file format, little-endian: magic `ARUSMDL1`; CRC-32 of all that follows it (u32); length of the header (u32); the header as JSON
 * {kind, meta, sections: [{name, type, offset, length}]}; then the sections, each aligned to 8 bytes, offsets from the
 * start of the file, lengths in elements. Sections can be used where they lie, so a file can be mapped into memory.
 */
export function modelFile(
  kind: string,
  meta: Readonly<Record<string, unknown>>,
  sections: Readonly<Record<string, Section>>,
): FileParts {
  const entries = Object.entries(sections)
  // The header holds offsets, whose digits change its length: room for the longest.
  const headerRoom = align(
    encoded({
      kind,
      meta,
      sections: entries.map(([name]) => ({ name, type: 'u32', offset: 2 ** 52, length: 2 ** 52 })),
    }).length,
  )
  const head = new Uint8Array(PREFIX_BYTES + headerRoom).fill(SPACE, PREFIX_BYTES)
  const parts: Uint8Array[] = [head]
  let offset = head.length
  const headers = entries.map(([name, section]): SectionHeader => {
    const bytes = bytesOf(section)
    const [from, sizeBytes] = [offset, sizeBytesOf(bytes)]
    offset = align(from + sizeBytes)
    parts.push(...bytes, new Uint8Array(offset - from - sizeBytes))
    return { name, type: typeOf(section), offset: from, length: isFile(section) ? sizeBytes : section.length }
  })
  head.set(new TextEncoder().encode(MAGIC))
  head.set(encoded({ kind, meta, sections: headers }), PREFIX_BYTES)
  const view = new DataView(head.buffer)
  view.setUint32(12, headerRoom, true)
  view.setUint32(
    8,
    parts.slice(1).reduce((sum, part) => crc32(part, sum), crc32(head.subarray(12))),
    true,
  )
  return parts.filter(({ length }) => length > 0)
}

/** Bytes that a file takes. */
export function sizeBytesOf(parts: FileParts): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}

/** A file in one piece, copied. */
export function wholeFile(parts: FileParts): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytesOf(parts))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

/** Opens a file and checks its checksum. Throws `MODEL_FILE_CORRUPT`. */
export function readModelFile(bytes: Uint8Array): ModelFile {
  const aligned = bytes.byteOffset % ALIGNMENT === 0 ? bytes : bytes.slice()
  const view = new DataView(aligned.buffer, aligned.byteOffset, aligned.byteLength)
  if (aligned.length < PREFIX_BYTES || new TextDecoder().decode(aligned.subarray(0, 8)) !== MAGIC) {
    throw corrupt(`it does not begin with ${MAGIC}`)
  }
  if (crc32(aligned.subarray(12)) !== view.getUint32(8, true))
    throw corrupt('its checksum does not match; it was cut off or changed')
  const header = JSON.parse(
    new TextDecoder().decode(aligned.subarray(PREFIX_BYTES, PREFIX_BYTES + view.getUint32(12, true))),
  ) as Header
  const find = (name: string, type: SectionHeader['type']): SectionHeader => {
    const section = header.sections.find((candidate) => candidate.name === name && candidate.type === type)
    if (section === undefined) throw corrupt(`it has no section "${name}" of ${type}`)
    return section
  }
  const place = (section: SectionHeader) => aligned.byteOffset + section.offset
  return {
    kind: header.kind,
    meta: header.meta,
    u8: (name) => {
      const section = find(name, 'u8')
      return new Uint8Array(aligned.buffer, place(section), section.length)
    },
    u32: (name) => {
      const section = find(name, 'u32')
      return new Uint32Array(aligned.buffer, place(section), section.length)
    },
    f32: (name) => {
      const section = find(name, 'f32')
      return new Float32Array(aligned.buffer, place(section), section.length)
    },
  }
}

function isFile(section: Section): section is FileParts {
  return Array.isArray(section)
}

function bytesOf(section: Section): FileParts {
  return isFile(section) ? section : [new Uint8Array(section.buffer, section.byteOffset, section.byteLength)]
}

function typeOf(section: Section): SectionHeader['type'] {
  if (section instanceof Uint32Array) return 'u32'
  if (section instanceof Float32Array) return 'f32'
  return section instanceof Float64Array ? 'f64' : 'u8'
}

function encoded(header: Header): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(header))
}

function align(value: number): number {
  return Math.ceil(value / ALIGNMENT) * ALIGNMENT
}

function corrupt(what: string): RecommenderError {
  return new RecommenderError('MODEL_FILE_CORRUPT', `This is not a whole model file: ${what}`)
}
