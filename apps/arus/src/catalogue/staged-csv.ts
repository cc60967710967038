import { closeSync, openSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ArusError } from '../errors.ts'
import type { OnProgress } from '../progress.ts'
import type { FieldKind } from './csv-kernel.ts'
import { type BrokenRecord, CsvRecordScanner, type RecordSink } from './csv-records.ts'
import { type CsvSource, csvBytes } from './csv-source.ts'

/** A CSV that was read through once and that DuckDB can now read without any record failing. */
export interface StagedCsv {
  /** The file itself when it is sound, else a clean copy. */
  readonly path: string
  /** The copy's first column is the physical line number; otherwise record n stands on line n + 1. */
  readonly hasLineNumbers: boolean
  readonly hasMultiLineRecords: boolean
  readonly recordCount: number
  readonly broken: readonly BrokenRecord[]
  /** See `CsvRecordScanner`. */
  readonly doubtfulLines: readonly number[] | null
}

export interface StageCsvOptions {
  readonly source: CsvSource
  /** What each column holds. */
  readonly fieldKinds?: readonly FieldKind[]
  /** A copy, if one is needed, is put in a new folder below this one; the caller removes it. */
  readonly temporaryFolder: string
  readonly step: string
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/** More broken lines than this, and the file is refused: it is something else. */
const BROKEN_RECORDS_MAX = 200_000
/** No line of a catalogue is this long. */
const LINE_BYTES_MAX = 1 << 25

/**
 * Checks every record of a CSV, and makes a clean copy only where the file cannot be read as it stands (gzip, broken or
 * blank lines, carriage returns, fields over several lines). One pass over a sound file. Throws
 * `CSV_INVALID` when the file was cut off or most of it is broken, `FILE_UNREADABLE` when it cannot be read to its end.
 */
export async function stageCsv(options: StageCsvOptions): Promise<StagedCsv> {
  const { source } = options
  if (!source.isGzip) {
    const found = await scan(options, null)
    if (isSound(found))
      return { ...found, path: source.file, hasLineNumbers: false, hasMultiLineRecords: false }
  }
  const folder = await mkdtemp(join(options.temporaryFolder, 'stage-'))
  const path = join(folder, 'records.csv')
  try {
    const copy = new CopyWriter(path, source.shape.delimiter)
    try {
      const found = await scan(options, copy)
      copy.flush()
      return { ...found, path, hasLineNumbers: true, hasMultiLineRecords: found.multiLineCount > 0 }
    } finally {
      copy.close()
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

interface ScanResult {
  readonly recordCount: number
  readonly multiLineCount: number
  readonly isChanged: boolean
  readonly broken: readonly BrokenRecord[]
  readonly doubtfulLines: readonly number[] | null
}

function isSound(found: ScanResult): boolean {
  return found.broken.length === 0 && found.multiLineCount === 0 && !found.isChanged
}

async function scan(options: StageCsvOptions, copy: CopyWriter | null): Promise<ScanResult> {
  const { source, fieldKinds, signal, onProgress, step } = options
  const broken: BrokenRecord[] = []
  const sink: RecordSink = {
    ...(copy === null ? {} : { record: (bytes, line) => copy.record(bytes, line) }),
    broken: (record) => broken.push(record),
  }
  const scanner = new CsvRecordScanner({ ...source.shape, ...(fieldKinds ? { fieldKinds } : {}) }, 2, sink)
  const onRead = (done: number) => onProgress?.({ step, done, total: source.sizeBytes, unit: 'bytes' })
  let toSkip = source.headerBytes
  const room = (byteCount: number) => scanner.room(byteCount)
  for await (const chunk of csvBytes({ file: source.file, isGzip: source.isGzip, onRead, room })) {
    if (signal?.aborted) throw new ArusError('CANCELLED', `Reading ${source.file} was stopped`)
    const skipped = Math.min(toSkip, chunk.length)
    toSkip -= skipped
    scanner.push(chunk.subarray(skipped))
    if (scanner.pendingBytes > LINE_BYTES_MAX) {
      throw new ArusError(
        'CSV_INVALID',
        `${source.file} is not a CSV: it has a line of more than ${LINE_BYTES_MAX} bytes`,
      )
    }
    if (broken.length > BROKEN_RECORDS_MAX) refuseBroken(source, scanner, broken)
  }
  scanner.end()
  refuseCutOff(source, scanner)
  if (scanner.recordCount === 0 && broken.length === 0) {
    throw new ArusError('CSV_INVALID', `${source.file} has a header and no rows`)
  }
  if (broken.length > scanner.recordCount) refuseBroken(source, scanner, broken)
  return {
    recordCount: scanner.recordCount,
    multiLineCount: scanner.multiLineCount,
    isChanged: scanner.blankLineCount > 0 || scanner.carriageReturnCount > 0,
    broken,
    doubtfulLines: scanner.doubtfulLines,
  }
}

function refuseCutOff(source: CsvSource, scanner: CsvRecordScanner): void {
  if (!scanner.isCutOff) return
  throw new ArusError(
    'CSV_INVALID',
    `${source.file} was cut off: its last line is not a whole record. Copy or download it again; nothing was imported`,
  )
}

function refuseBroken(source: CsvSource, scanner: CsvRecordScanner, broken: readonly BrokenRecord[]): never {
  const first = broken[0]
  throw new ArusError(
    'CSV_INVALID',
    `${source.file} is not a CSV with ${source.shape.columnCount} columns: ${broken.length} of its first ${scanner.recordCount + broken.length} lines are broken, the first on line ${first?.line} (${first?.detail})`,
    { details: { examples: broken.slice(0, 5) } },
  )
}

const COPY_BLOCK_BYTES = 1 << 23

/** Writes records, each after its line number, in large blocks. */
class CopyWriter {
  readonly #descriptor: number
  readonly #delimiter: string
  readonly #block = Buffer.allocUnsafe(COPY_BLOCK_BYTES)
  #used = 0

  constructor(path: string, delimiter: string) {
    this.#descriptor = openSync(path, 'wx')
    this.#delimiter = delimiter
  }

  record(bytes: Buffer, line: number): void {
    if (this.#used + bytes.length + 32 > COPY_BLOCK_BYTES) this.flush()
    this.#used += this.#block.write(`${line}${this.#delimiter}`, this.#used, 'latin1')
    this.#used += bytes.copy(this.#block, this.#used)
    this.#block[this.#used++] = 10
  }

  flush(): void {
    for (let at = 0; at < this.#used; ) at += writeSync(this.#descriptor, this.#block, at, this.#used - at)
    this.#used = 0
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
