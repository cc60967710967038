import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { ArusError } from '../errors.ts'
import type { CsvShape } from './csv-records.ts'

/** A CSV file whose head has been looked at. */
export interface CsvSource {
  readonly file: string
  readonly sizeBytes: number
  readonly isGzip: boolean
  readonly shape: CsvShape
  /** Column names as they stand in the header, spaces around them cut. */
  readonly columns: readonly string[]
  /** Uncompressed bytes before the first record: header line, and byte order mark. */
  readonly headerBytes: number
}

const HEAD_BYTES = 1 << 16
const CHUNK_BYTES = 1 << 20
const DELIMITERS = [',', ';', '\t'] as const

/**
 * Looks at a file's head: its compression, delimiter and columns. Throws `FILE_UNREADABLE` for a missing, empty or damaged
 * file, `CSV_INVALID` for one that is no CSV (binary, HTML, JSON, another encoding).
 */
export async function openCsvSource(file: string): Promise<CsvSource> {
  const sizeBytes = await sizeOf(file)
  const raw = await readHead(file)
  const isGzip = raw[0] === 0x1f && raw[1] === 0x8b
  const head = isGzip ? await firstBytes(csvBytes({ file, isGzip })) : raw
  refuseOtherFormats(file, head)
  const lineEnd = head.indexOf(10)
  const headerEnd = lineEnd < 0 ? head.length : lineEnd
  const line = head
    .toString('utf8', 0, headerEnd)
    .replace(/^\ufeff/, '')
    .replace(/\r$/, '')
  const delimiter = delimiterOf(line)
  const columns = headerFields(line, delimiter)
  return {
    file,
    sizeBytes,
    isGzip,
    columns,
    shape: { delimiter, columnCount: columns.length },
    headerBytes: headerEnd + 1,
  }
}

/**
 * The file's bytes, uncompressed, in chunks, each valid until the next is asked for. Throws `FILE_UNREADABLE` when the file or
 * its gzip stream breaks off.
 */
export async function* csvBytes(source: {
  readonly file: string
  readonly isGzip: boolean
  /** Called with the number of bytes read from disk so far. */
  readonly onRead?: (byteCount: number) => void
  /** Where up to so many bytes are to be read to, asked for each time, unless they come out of gzip. */
  readonly room?: (byteCount: number) => Buffer
}): AsyncGenerator<Buffer> {
  const { file, isGzip } = source
  try {
    yield* isGzip ? gunzipped(source) : plainBytes(source)
  } catch (error) {
    if (error instanceof ArusError) throw error
    const what = isGzip
      ? 'its gzip stream is cut off or damaged; copy or download it again'
      : 'reading it failed'
    throw new ArusError('FILE_UNREADABLE', `Cannot read ${file}: ${what}`, { cause: error })
  }
}

interface Bytes {
  readonly file: string
  readonly onRead?: (byteCount: number) => void
  readonly room?: (byteCount: number) => Buffer
}

async function* plainBytes({ file, onRead, room = Buffer.allocUnsafe }: Bytes): AsyncGenerator<Buffer> {
  await using handle = await open(file)
  for (let done = 0; ; ) {
    const buffer = room(CHUNK_BYTES)
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES)
    if (bytesRead === 0) return
    done += bytesRead
    onRead?.(done)
    yield buffer.subarray(0, bytesRead)
  }
}

async function* gunzipped({ file, onRead }: Bytes): AsyncGenerator<Buffer> {
  const raw = createReadStream(file, { highWaterMark: CHUNK_BYTES })
  if (onRead) raw.on('data', () => onRead(raw.bytesRead))
  try {
    const unzipped = createGunzip({ chunkSize: CHUNK_BYTES })
    raw.on('error', (error) => unzipped.destroy(error))
    yield* raw.pipe(unzipped)
  } finally {
    raw.destroy()
  }
}

async function sizeOf(file: string): Promise<number> {
  const facts = await stat(file).catch((error: unknown) => {
    throw new ArusError('FILE_UNREADABLE', `Cannot read ${file}: there is no such file, or no permission`, {
      cause: error,
    })
  })
  if (!facts.isFile()) throw new ArusError('FILE_UNREADABLE', `Cannot read ${file}: it is not a file`)
  if (facts.size === 0)
    throw new ArusError('CSV_INVALID', `${file} is empty: expected a CSV with a header line`)
  return facts.size
}

async function readHead(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file, 'r')
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    throw new ArusError('FILE_UNREADABLE', `Cannot read ${file}: no permission, or the disk failed`, {
      cause: error,
    })
  }
}

async function firstBytes(chunks: AsyncGenerator<Buffer>): Promise<Buffer> {
  const found: Buffer[] = []
  let byteCount = 0
  for await (const chunk of chunks) {
    found.push(chunk)
    byteCount += chunk.length
    if (byteCount >= HEAD_BYTES) break
  }
  return Buffer.concat(found).subarray(0, HEAD_BYTES)
}

function refuseOtherFormats(file: string, head: Buffer): void {
  const refuse = (what: string): never => {
    throw new ArusError('CSV_INVALID', `${file} is not a CSV: ${what}`)
  }
  if (head.length === 0) refuse('it is empty')
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    refuse('it is UTF-16 text; save it as UTF-8')
  }
  const headerEnd = head.indexOf(10)
  const header = head.subarray(0, headerEnd < 0 ? head.length : headerEnd)
  if (header.includes(0)) refuse('it holds binary data')
  if (!isUtf8(header)) refuse('its first line is not UTF-8 text')
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart()
  if (text === '') refuse('it holds nothing but blanks')
  if (/^<(!doctype|html|\?xml|head|body)/i.test(text))
    refuse('it looks like a web page; was the download a login page?')
  if (/^[[{]/.test(text)) refuse('it looks like JSON')
}

function delimiterOf(line: string): CsvShape['delimiter'] {
  const counts = DELIMITERS.map((delimiter) => line.split(delimiter).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!
}

function headerFields(line: string, delimiter: string): string[] {
  const [fields = []] = parse(line, { delimiter, relax_quotes: true, trim: true }) as string[][]
  return fields
}
