import { isAscii } from 'node:buffer'
import zlib from 'node:zlib'
import type { ColumnMetaData, Compressors, Encoding, SchemaElement } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { decompressPage } from 'hyparquet/src/datapage.js'
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js'
import { readPlain } from 'hyparquet/src/plain.js'
import { snappyUncompress } from 'hysnappy'
import { DeltaError } from './errors.ts'
import { lz4Block } from './lz4-block.ts'
import { bitWidth, readHybrid } from './parquet-levels.ts'

/**
 * A column chunk of Parquet, decoded: an entry for each value and each null, as nested rows are laid out in columns (Melnik
 * et al. 2010, "Dremel: Interactive Analysis of Web-Scale Datasets", section 4).
 */
export interface Leaf {
  /** How many of the optional and repeated fields on the way to an entry are there. */
  readonly definitionLevels: Uint8Array
  /** At which of the repeated fields on the way an entry goes on, 0 where a row begins. Empty where none is repeated. */
  readonly repetitionLevels: Uint8Array
  /** Of the entries that are no nulls, in their order; byte arrays that hold text as strings, 64-bit integers as bigint. */
  readonly values: ArrayLike<unknown>
}

/** What the schema says of a leaf: its type, and the largest of its levels. */
export interface LeafType {
  readonly element: SchemaElement
  readonly definitionMax: number
  readonly repetitionMax: number
}

/**
 * Decodes the pages of a column chunk. Damaged ones throw errors of many kinds; no length in them is believed beyond what
 * the chunk is said to hold.
 */
export function readLeaf(bytes: Uint8Array, chunk: ColumnMetaData, type: LeafType): Leaf {
  const entryCount = Number(chunk.num_values)
  const definitionLevels = new Uint8Array(entryCount)
  const repetitionLevels = new Uint8Array(type.repetitionMax > 0 ? entryCount : 0)
  const values: ArrayLike<unknown>[] = []
  let dictionary: ArrayLike<unknown> = []
  const pages = { view: viewOf(bytes), offset: 0 }
  for (let start = 0; start < entryCount; ) {
    const page = nextPage(bytes, pages, chunk, type)
    if (page.kind === 'dictionary') {
      dictionary = plainValues(page.values, page.entryCount, type.element)
      continue
    }
    const end = start + page.entryCount
    if (end > entryCount) throw new RangeError(`${chunk.path_in_schema} has more entries than it says`)
    const definition = definitionLevels.subarray(start, end)
    readHybrid(page.repetition, bitWidth(type.repetitionMax), repetitionLevels.subarray(start, end))
    readHybrid(page.definition, bitWidth(type.definitionMax), definition)
    const count = occurrences(definition, type.definitionMax)
    if (count > 0) values.push(pageValues(page, { count, element: type.element, dictionary }))
    start = end
  }
  const [only = [], ...others] = values
  return {
    definitionLevels,
    repetitionLevels,
    values: others.length === 0 ? only : values.flatMap((each) => Array.from(each)),
  }
}

/** By codec; LZO and the old, ill-defined LZ4 are refused. */
const COMPRESSORS: Compressors = {
  SNAPPY: snappyUncompress,
  GZIP: (bytes) => zlib.gunzipSync(bytes),
  BROTLI: (bytes) => zlib.brotliDecompressSync(bytes),
  ZSTD: zstd,
  LZ4_RAW: lz4Block,
}

function zstd(bytes: Uint8Array): Uint8Array {
  if (zlib.zstdDecompressSync === undefined) {
    throw new DeltaError(
      'DELTA_FEATURE_UNSUPPORTED',
      `The checkpoint is compressed with zstd, which Node ${process.versions.node} cannot read; run Node 22.15 or newer`,
    )
  }
  return zlib.zstdDecompressSync(bytes)
}

function occurrences(levels: Uint8Array, wanted: number): number {
  let count = 0
  for (let i = 0; i < levels.length; i++) if (levels[i] === wanted) count += 1
  return count
}

interface DictionaryPage {
  readonly kind: 'dictionary'
  readonly entryCount: number
  readonly values: Uint8Array
}

/** Its three parts, decompressed; levels that are all 0 are not stored. */
interface DataPage {
  readonly kind: 'data'
  readonly entryCount: number
  readonly encoding: Encoding
  readonly repetition: Uint8Array
  readonly definition: Uint8Array
  readonly values: Uint8Array
}

interface Pages {
  readonly view: DataView<ArrayBuffer>
  offset: number
}

function nextPage(
  bytes: Uint8Array,
  pages: Pages,
  { codec }: ColumnMetaData,
  type: LeafType,
): DictionaryPage | DataPage {
  const header = parquetHeader(pages)
  const stored = bytes.subarray(pages.offset, pages.offset + header.compressed_page_size)
  pages.offset += header.compressed_page_size
  const size = header.uncompressed_page_size
  const { dictionary_page_header: dictionary, data_page_header: v1, data_page_header_v2: v2 } = header
  if (dictionary)
    return {
      kind: 'dictionary',
      entryCount: dictionary.num_values,
      values: decompressPage(stored, size, codec, COMPRESSORS),
    }
  if (v1) {
    const all = decompressPage(stored, size, codec, COMPRESSORS)
    const repetition = levelsAt(all, 0, type.repetitionMax)
    const definition = levelsAt(all, repetition.end, type.definitionMax)
    return {
      kind: 'data',
      entryCount: v1.num_values,
      encoding: v1.encoding,
      repetition: repetition.bytes,
      definition: definition.bytes,
      values: all.subarray(definition.end),
    }
  }
  if (!v2) throw new TypeError(`a page of type ${header.type}`)
  const definitionEnd = v2.repetition_levels_byte_length + v2.definition_levels_byte_length
  const values = stored.subarray(definitionEnd)
  const isCompressed = v2.is_compressed !== false && size > definitionEnd
  return {
    kind: 'data',
    entryCount: v2.num_values,
    encoding: v2.encoding,
    repetition: stored.subarray(0, v2.repetition_levels_byte_length),
    definition: stored.subarray(v2.repetition_levels_byte_length, definitionEnd),
    values: isCompressed ? decompressPage(values, size - definitionEnd, codec, COMPRESSORS) : values,
  }
}

/** Levels of a page of version 1, after their length. */
function levelsAt(
  bytes: Uint8Array,
  at: number,
  max: number,
): { readonly bytes: Uint8Array; readonly end: number } {
  if (max === 0) return { bytes: bytes.subarray(at, at), end: at }
  const end = at + 4 + viewOf(bytes).getUint32(at, true)
  return { bytes: bytes.subarray(at + 4, end), end }
}

function pageValues(
  { values: bytes, encoding }: DataPage,
  {
    count,
    element,
    dictionary,
  }: { readonly count: number; readonly element: SchemaElement; readonly dictionary: ArrayLike<unknown> },
): ArrayLike<unknown> {
  const reader = { view: viewOf(bytes), offset: 0 }
  switch (encoding) {
    case 'PLAIN':
      return plainValues(bytes, count, element)
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY': {
      const indexes = new Uint32Array(count)
      readHybrid(bytes.subarray(1), bytes[0] ?? 0, indexes)
      return Array.from(indexes, (index) => dictionary[index])
    }
    case 'RLE': {
      const flags = new Uint8Array(count)
      readHybrid(levelsAt(bytes, 0, 1).bytes, 1, flags)
      return Array.from(flags, Boolean)
    }
    case 'DELTA_BINARY_PACKED': {
      const numbers = element.type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count)
      deltaBinaryUnpack(reader, count, numbers)
      return numbers
    }
    case 'DELTA_LENGTH_BYTE_ARRAY':
    case 'DELTA_BYTE_ARRAY': {
      const arrays = new Array<Uint8Array>(count)
      const read = encoding === 'DELTA_BYTE_ARRAY' ? deltaByteArray : deltaLengthByteArray
      read(reader, count, arrays)
      return isText(element) ? arrays.map((each) => bufferOf(each).toString()) : arrays
    }
    default:
      throw new TypeError(`values in encoding ${encoding}`)
  }
}

function plainValues(bytes: Uint8Array, count: number, element: SchemaElement): ArrayLike<unknown> {
  if (!isText(element))
    return readPlain({ view: viewOf(bytes), offset: 0 }, element.type ?? 'INT32', count, element.type_length)
  const buffer = bufferOf(bytes)
  const ends = new Uint32Array(count)
  let end = 0
  for (let i = 0, at = 0; i < count; i++) {
    const start = at + LENGTH_BYTES
    at = start + buffer.readUInt32LE(at)
    if (at > buffer.length) throw new RangeError('a text is longer than its page')
    // Moved over the lengths before them, for then all are decoded at once.
    end += buffer.copy(buffer, end, start, at)
    ends[i] = end
  }
  return textsOf(buffer.subarray(0, end), ends)
}

const LENGTH_BYTES = 4

/** Texts that stand one after the other. Parts of one large text cost less than texts of their own, where bytes are characters. */
function textsOf(bytes: Buffer, ends: Uint32Array): string[] {
  const whole = isAscii(bytes) ? bytes.toString('latin1') : null
  const texts: string[] = []
  let start = 0
  for (const end of ends) {
    texts.push(whole === null ? bytes.toString('utf8', start, end) : whole.substring(start, end))
    start = end
  }
  return texts
}

function isText({ type, converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return type === 'BYTE_ARRAY' && converted !== 'DECIMAL' && logical?.type !== 'DECIMAL'
}

function viewOf(bytes: Uint8Array): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
