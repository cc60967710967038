import { crc32 } from 'node:zlib'
import { RecommenderError } from './errors.ts'

/** Arrays a model file can hold. */
export type Section = Uint8Array | Uint32Array | Float32Array | Float64Array

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

/**
 * The file format, little-endian: magic `ARUSMDL1`; CRC-32 of all that follows it (u32); length of the header (u32); the header as JSON
 * {kind, meta, sections: [{name, type, offset, length}]}; then the sections, each aligned to 8 bytes, offsets from the
 * start of the file, lengths in elements. Sections can be used where they lie, so a file can be mapped into memory.
 */
export function writeModelFile(
  kind: string,
  meta: Readonly<Record<string, unknown>>,
  sections: Readonly<Record<string, Section>>,
): Uint8Array {
  const entries = Object.entries(sections)
  // The header holds offsets, whose digits change its length: room for the longest.
  const headerRoom = align(
    new TextEncoder().encode(
      JSON.stringify({
        kind,
        meta,
        sections: entries.map(([name]) => ({ name, type: 'u32', offset: 2 ** 52, length: 2 ** 52 })),
      }),
    ).length,
  )
  let offset = align(PREFIX_BYTES + headerRoom)
  const headers = entries.map(([name, array]): SectionHeader => {
    const header = { name, type: typeOf(array), offset, length: array.length }
    offset = align(offset + array.byteLength)
    return header
  })
  const bytes = new Uint8Array(offset)
  const header = new TextEncoder().encode(
    JSON.stringify({ kind, meta, sections: headers } satisfies Header).padEnd(headerRoom),
  )
  bytes.set(new TextEncoder().encode(MAGIC))
  bytes.set(header, PREFIX_BYTES)
  for (const [i, [, array]] of entries.entries())
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), headers[i]!.offset)
  const view = new DataView(bytes.buffer)
  view.setUint32(12, header.length, true)
  view.setUint32(8, crc32(bytes.subarray(12)), true)
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

function typeOf(array: Section): SectionHeader['type'] {
  if (array instanceof Uint32Array) return 'u32'
  if (array instanceof Float32Array) return 'f32'
  return array instanceof Float64Array ? 'f64' : 'u8'
}

function align(value: number): number {
  return Math.ceil(value / ALIGNMENT) * ALIGNMENT
}

function corrupt(what: string): RecommenderError {
  return new RecommenderError('MODEL_FILE_CORRUPT', `This is not a whole model file: ${what}`)
}
