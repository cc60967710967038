import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { ArusError } from '../../errors.ts'

const GZIP_MAGIC = [0x1f, 0x8b]
/** A quoted field may hold line ends; a quote that is never closed must not swallow the file. */
const RECORD_LINES_MAX = 100

/** The records of a text file, plain or gzip, by lines; a record whose quotes are open goes on in the next line. Throws `FILE_UNREADABLE`. */
export async function* textRecords(file: string): AsyncGenerator<string> {
  let held = ''
  let heldLines = 0
  for await (const line of textLines(file)) {
    held = heldLines === 0 ? line : `${held}\n${line}`
    heldLines += 1
    if (hasOpenQuote(held) && heldLines < RECORD_LINES_MAX) continue
    yield held
    heldLines = 0
  }
  if (heldLines > 0) yield held
}

/** The fields of a record (RFC 4180: quotes around a field, doubled within). */
export function fieldsOf(record: string, separator: string): string[] {
  if (!record.includes('"')) return record.split(separator)
  const fields: string[] = []
  let field = ''
  let isQuoted = false
  for (let n = 0; n < record.length; n++) {
    const character = record[n]!
    if (character === '"') {
      if (isQuoted && record[n + 1] === '"') {
        field += '"'
        n += 1
      } else isQuoted = !isQuoted
    } else if (character === separator && !isQuoted) {
      fields.push(field)
      field = ''
    } else field += character
  }
  fields.push(field)
  return fields
}

/** The lines of a text file, plain or gzip (told by its first bytes). Throws `FILE_UNREADABLE`. */
export async function* textLines(file: string): AsyncGenerator<string> {
  const isGzip = await startsAsGzip(file)
  const bytes = createReadStream(file)
  const text = isGzip ? bytes.pipe(createGunzip()) : bytes
  // An error of the disk does not reach the other end of a pipe by itself.
  if (isGzip) bytes.on('error', (error) => text.destroy(error))
  text.setEncoding('utf8')
  let rest = ''
  try {
    for await (const chunk of text) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
    }
  } catch (error) {
    throw new ArusError('FILE_UNREADABLE', `${file} cannot be read to its end: ${(error as Error).message}`)
  }
  if (rest !== '') yield rest
}

async function startsAsGzip(file: string): Promise<boolean> {
  try {
    const handle = await open(file)
    try {
      const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0)
      return GZIP_MAGIC.every((byte, n) => buffer[n] === byte)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw new ArusError('FILE_UNREADABLE', `${file} cannot be opened: ${(error as Error).message}`)
  }
}

function hasOpenQuote(text: string): boolean {
  let count = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1
  return count % 2 === 1
}
