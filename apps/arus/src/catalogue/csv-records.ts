import { isUtf8 } from 'node:buffer'
import { CsvKernel, type FieldKind } from './csv-kernel.ts'

/** Why a record cannot be read as CSV. */
export type BrokenRecordReason =
  | 'broken_quote'
  | 'wrong_column_count'
  | 'not_utf8'
  | 'stray_carriage_return'
  | 'record_too_long'

/** A physical line that is not part of any record. */
export interface BrokenRecord {
  /** Physical line in the file, from 1. */
  readonly line: number
  readonly reason: BrokenRecordReason
  readonly detail: string
  /** The line as it stands, cut at 500 bytes. */
  readonly text: string
}

/** Receives what a scan finds, in file order. `bytes` are only valid during the call. */
export interface RecordSink {
  /** A whole record without its line end, beginning on physical line `line`. Left out by who does not look at them. */
  record?(bytes: Buffer, line: number): void
  broken(record: BrokenRecord): void
}

export interface CsvShape {
  readonly delimiter: ',' | ';' | '\t'
  readonly columnCount: number
  /** What each column holds, where `doubtfulLines` are asked for. */
  readonly fieldKinds?: readonly FieldKind[]
}

/** A longer record is refused; a quoted field that has not closed by then never will. */
export const RECORD_BYTES_MAX = 1 << 20

const QUOTE = 34
const LF = 10
const CR = 13
const SHOWN_BYTES_MAX = 500
const DOUBTFUL_LINES_MAX = 10_000

/**
 * Cuts a CSV into records (RFC 4180, and quotes inside unquoted fields taken as they are), chunk by chunk. A record that
 * is broken gives up its first physical line only, and reading goes on at the next line, so that one stray quote costs one
 * row. Blank lines are passed over. Feed it from the first line after the header; then call `end`. Ordinary records, almost
 * all of them, are read over by `CsvKernel`; the rest here, which would do for every one.
 */
export class CsvRecordScanner {
  /** Facts about the file so far, for whoever decides whether it can be read as it stands. */
  recordCount = 0
  brokenCount = 0
  blankLineCount = 0
  carriageReturnCount = 0
  multiLineCount = 0
  /** The last line ended without a line end. */
  isUnterminated = false
  /** The last, unterminated line is not a whole record: the file was cut off. */
  isCutOff = false
  readonly #delimiter: number
  readonly #columnCount: number
  readonly #sink: RecordSink
  readonly #kernel: CsvKernel
  readonly #isPlain: boolean
  #line: number
  #checksEach = false
  /** Physical lines of the record being read. */
  #recordLines = 1
  #doubtfulLines: number[] | null = []

  /** `isPlain`: without the kernel. Every line is doubtful then. */
  constructor(shape: CsvShape, firstLine: number, sink: RecordSink, isPlain = false) {
    const { delimiter, columnCount, fieldKinds } = shape
    this.#delimiter = delimiter.charCodeAt(0)
    this.#columnCount = columnCount
    this.#kernel = new CsvKernel(delimiter, fieldKinds ?? new Array(columnCount).fill('any'))
    this.#line = firstLine
    this.#sink = sink
    this.#isPlain = isPlain
  }

  /** Bytes of a record whose end has not been seen yet. */
  get pendingBytes(): number {
    return this.#kernel.bytes.length
  }

  /**
   * Lines of the records with a field that is not surely sound, or an id that stood before: whatever is wrong with any
   * record is wrong with one of these. Null when they are too many to name.
   */
  get doubtfulLines(): readonly number[] | null {
    return this.#doubtfulLines
  }

  /** Where the chunk to be pushed next can be put, which saves copying it. */
  room(byteCount: number): Buffer {
    return this.#kernel.room(byteCount)
  }

  push(chunk: Buffer): void {
    this.#kernel.push(chunk)
    this.#scan(false)
  }

  end(): void {
    this.#scan(true)
  }

  #scan(isEnd: boolean): void {
    const { bytes } = this.#kernel
    const linesEnd = bytes.lastIndexOf(LF) + 1
    const whole = isEnd ? bytes.length : linesEnd
    const text = bytes.subarray(0, whole)
    this.#checksEach = !isUtf8(text) || text.includes(0)
    const asksKernel = !this.#checksEach && !this.#isPlain
    let at = 0
    while (at < whole) {
      if (asksKernel) at = this.#readOrdinary(bytes, at, linesEnd)
      if (at >= whole) break
      const next = this.#readRecord(bytes, at, whole, isEnd)
      if (next < 0) break
      at = next
    }
    this.#kernel.drop(Math.min(at, bytes.length))
  }

  /** Reads over ordinary records from `start` on; answers where one stands that is not, or the lines end. */
  #readOrdinary(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end) {
      const found = this.#kernel.scan(at, end)
      if (this.#sink.record !== undefined) this.#hand(bytes, at, found.ends)
      for (const record of found.doubtful) this.#doubt(this.#line + record)
      this.recordCount += found.count
      this.carriageReturnCount += found.carriageReturnCount
      this.#line += found.count
      at = found.next
      if (found.count === 0) break
    }
    return at
  }

  #hand(bytes: Buffer, start: number, ends: Uint32Array): void {
    let at = start
    for (let record = 0; record < ends.length; record++) {
      const end = ends[record]!
      const to = bytes[end - 1] === CR ? end - 1 : end
      this.#sink.record?.(bytes.subarray(at, to), this.#line + record)
      at = end + 1
    }
  }

  #doubt(line: number): void {
    if (this.#doubtfulLines === null) return
    if (this.#doubtfulLines.length < DOUBTFUL_LINES_MAX) this.#doubtfulLines.push(line)
    else this.#doubtfulLines = null
  }

  /** Reads the record at `start`; answers where the next begins, or -1 when more bytes are needed to tell. */
  #readRecord(bytes: Buffer, start: number, end: number, isEnd: boolean): number {
    const delimiter = this.#delimiter
    let at = start
    let columnCount = 1
    let strayReturn = false
    this.#recordLines = 1
    for (;;) {
      if (at < end && bytes[at] === QUOTE) {
        at = this.#quotedEnd(bytes, at + 1, end)
        if (at < 0) return this.#openQuote(bytes, start, end, isEnd)
        if (!this.#isFieldEnd(bytes, at, end)) return this.#rejectLine(bytes, start, end, 'broken_quote')
        if (at < end && bytes[at] === CR) at++
      } else {
        for (; at < end; at++) {
          const byte = bytes[at]!
          if (byte === delimiter || byte === LF) break
          if (byte === CR && at + 1 < end && bytes[at + 1] !== LF) strayReturn = true
        }
      }
      if (at >= end || bytes[at] === LF) break
      columnCount++
      at++
    }
    return this.#endRecord(bytes, { start, at, end, columnCount, strayReturn })
  }

  /** Where the quoted field whose text begins at `at` has ended, counting its line ends; -1 when it does not. */
  #quotedEnd(bytes: Buffer, from: number, end: number): number {
    for (let at = from; at < end; at++) {
      const byte = bytes[at]!
      if (byte === LF) this.#recordLines++
      if (byte !== QUOTE) continue
      if (at + 1 < end && bytes[at + 1] === QUOTE) at++
      else return at + 1
    }
    return -1
  }

  #isFieldEnd(bytes: Buffer, at: number, end: number): boolean {
    if (at >= end) return true
    const byte = bytes[at]!
    return byte === this.#delimiter || byte === LF || (byte === CR && (at + 1 >= end || bytes[at + 1] === LF))
  }

  #endRecord(
    bytes: Buffer,
    found: { start: number; at: number; end: number; columnCount: number; strayReturn: boolean },
  ): number {
    const { start, at, end, columnCount } = found
    const lineCount = this.#recordLines
    const hasReturn = at > start && bytes[at - 1] === CR
    const recordEnd = hasReturn ? at - 1 : at
    if (at >= end) this.isUnterminated = true
    if (hasReturn) this.carriageReturnCount++
    if (recordEnd === start) {
      this.blankLineCount++
      this.#line++
      return at + 1
    }
    const record = bytes.subarray(start, recordEnd)
    const reason = this.#faultOf(record, columnCount, found.strayReturn)
    if (reason !== null) {
      if (at >= end && lineCount === 1 && columnCount < this.#columnCount) this.isCutOff = true
      return this.#rejectLine(bytes, start, end, lineCount > 1 ? 'broken_quote' : reason, columnCount)
    }
    this.#sink.record?.(record, this.#line)
    this.#doubt(this.#line)
    this.recordCount++
    if (lineCount > 1) this.multiLineCount++
    this.#line += lineCount
    return at + 1
  }

  #faultOf(record: Buffer, columnCount: number, strayReturn: boolean): BrokenRecordReason | null {
    if (columnCount !== this.#columnCount) return 'wrong_column_count'
    if (strayReturn) return 'stray_carriage_return'
    if (record.length > RECORD_BYTES_MAX) return 'record_too_long'
    if (this.#checksEach && (!isUtf8(record) || record.includes(0))) return 'not_utf8'
    return null
  }

  /** A quote that does not close within the bytes at hand. */
  #openQuote(bytes: Buffer, start: number, end: number, isEnd: boolean): number {
    if (!isEnd && end - start <= RECORD_BYTES_MAX) return -1
    if (isEnd && bytes.indexOf(LF, start) < 0) {
      this.isUnterminated = true
      this.isCutOff = true
    }
    return this.#rejectLine(bytes, start, end, 'broken_quote')
  }

  #rejectLine(
    bytes: Buffer,
    start: number,
    end: number,
    reason: BrokenRecordReason,
    columnCount = 0,
  ): number {
    const lineFeed = bytes.indexOf(LF, start)
    const lineEnd = lineFeed < 0 || lineFeed > end ? end : lineFeed
    const shownEnd = Math.min(lineEnd, start + SHOWN_BYTES_MAX)
    this.brokenCount++
    this.#sink.broken({
      line: this.#line,
      reason,
      detail: detailOf(reason, this.#columnCount, columnCount),
      text: bytes.toString('utf8', start, shownEnd).replaceAll('\0', '\ufffd').trimEnd(),
    })
    this.#line++
    return lineEnd + 1
  }
}

function detailOf(reason: BrokenRecordReason, expected: number, found: number): string {
  switch (reason) {
    case 'broken_quote':
      return 'a quoted field does not end with a quote before the next comma or line end'
    case 'wrong_column_count':
      return `the header has ${expected} columns, this line ${found}`
    case 'not_utf8':
      return 'the line is not UTF-8 text'
    case 'record_too_long':
      return `the record is longer than ${RECORD_BYTES_MAX} bytes`
    case 'stray_carriage_return':
      return 'a carriage return stands inside an unquoted field'
  }
}
