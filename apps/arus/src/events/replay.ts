import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { ArusError } from '../errors.ts'
import { pause } from '../pause.ts'
import { REPLAY_MAPPINGS, type ReplayMapping, type Row } from './replay-mappings.ts'

/** A row that is no event, and why. */
export interface BadRow {
  readonly line: number
  readonly reason: string
}

export interface ReplayOptions {
  readonly file: string
  readonly mapping: ReplayMapping
  /** Times of the original as many times as fast; `Infinity` for flat out. */
  readonly speed: number
  /** Added to every time, ms. */
  readonly shiftMs: number
  readonly onBadRow: (row: BadRow) => void
  readonly signal: AbortSignal
}

/** The mapping of a name, or of a JSON file. Throws `REQUEST_INVALID`. */
export function findMapping(nameOrFile: string): ReplayMapping {
  const known = REPLAY_MAPPINGS[nameOrFile]
  if (known !== undefined) return known
  if (!existsSync(nameOrFile)) {
    throw new ArusError(
      'REQUEST_INVALID',
      `No mapping is called "${nameOrFile}" and no file either; there are ${Object.keys(REPLAY_MAPPINGS).join(', ')}`,
    )
  }
  const mapping = JSON.parse(readFileSync(nameOrFile, 'utf8')) as Partial<ReplayMapping>
  if (
    typeof mapping.columns?.ts !== 'string' ||
    typeof mapping.columns.product_id !== 'string' ||
    mapping.time === undefined
  ) {
    throw new ArusError(
      'REQUEST_INVALID',
      `${nameOrFile} must have "columns" with "ts" and "product_id", and "time": seconds, milliseconds or text`,
    )
  }
  return mapping as ReplayMapping
}

/**
 * Events of a file (CSV, plain or gzip) in its order, at its own tempo times `speed`. Ids are made from file and line, so
 * that a replay can be repeated without doubling anything. Throws `FILE_UNREADABLE`, `CSV_INVALID`.
 */
export async function* replayEvents(options: ReplayOptions): AsyncGenerator<Record<string, unknown>> {
  const { file, mapping, speed, shiftMs, onBadRow, signal } = options
  const id = createHash('sha256').update(basename(file)).digest('hex').slice(0, 12)
  let origin: { readonly fileMs: number; readonly clockMs: number } | null = null
  for await (const { row, line } of rowsOf(file, mapping.delimiter ?? ',', signal)) {
    const event = eventOf(row, mapping)
    if (typeof event === 'string') {
      onBadRow({ line, reason: event })
      continue
    }
    const fileMs = Number(event.ts)
    origin ??= { fileMs, clockMs: performance.now() }
    if (Number.isFinite(speed)) await sleepUntil(origin.clockMs + (fileMs - origin.fileMs) / speed, signal)
    yield { event_id: `replay-${id}-${line}`, ...event, ts: fileMs + shiftMs }
  }
}

/** Time of the newest event of a file, UTC ms: reads it once. Null without any. */
export async function newestTime(
  file: string,
  mapping: ReplayMapping,
  signal: AbortSignal,
): Promise<number | null> {
  let newest: number | null = null
  for await (const { row } of rowsOf(file, mapping.delimiter ?? ',', signal)) {
    const ts = timeOf(row[mapping.columns.ts] ?? '', mapping.time)
    if (ts !== null) newest = Math.max(newest ?? ts, ts)
  }
  return newest
}

async function* rowsOf(
  file: string,
  delimiter: string,
  signal: AbortSignal,
): AsyncGenerator<{ row: Row; line: number }> {
  if (!existsSync(file)) throw new ArusError('FILE_UNREADABLE', `No file ${file}`)
  const parser = parse({
    delimiter,
    columns: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    bom: true,
    info: true,
  })
  const source: Readable = createReadStream(file, { signal })
  const input = file.endsWith('.gz') ? source.pipe(createGunzip()) : source
  if (input !== source) source.on('error', (error) => input.destroy(error))
  pipeline(input, parser, () => {
    // A failure surfaces in the loop below, as the parser's own.
  })
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: Row; info: { lines: number } }>) {
      yield { row: record, line: info.lines }
    }
  } catch (error) {
    signal.throwIfAborted()
    throw new ArusError(
      'CSV_INVALID',
      `${file} could not be read as CSV: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    )
  }
}

/** The event, or why the row is none. */
function eventOf(row: Row, mapping: ReplayMapping): Record<string, unknown> | string {
  const { columns } = mapping
  const cell = (column: string | undefined): string | undefined =>
    column === undefined ? undefined : row[column]?.trim() || undefined
  const ts = timeOf(cell(columns.ts) ?? '', mapping.time)
  if (ts === null) return `column ${columns.ts} is no time: "${cell(columns.ts) ?? ''}"`
  const product_id = cell(columns.product_id)
  if (product_id === undefined) return `column ${columns.product_id} is empty`
  const user_id = cell(columns.user_id)
  const session_id = cell(columns.session_id)
  if (user_id === undefined && session_id === undefined)
    return `column ${columns.user_id ?? columns.session_id} is empty: the event belongs to nobody`
  const price = numberOf(cell(columns.price))
  const quantity = numberOf(cell(columns.quantity))
  if (Number.isNaN(price) || Number.isNaN(quantity)) return 'price or quantity is not a number'
  if (price !== undefined && price < 0) return `price ${price} is negative`
  const word = cell(columns.action) ?? mapping.defaultAction
  if (word === undefined) return `column ${columns.action} is empty`
  const isNegative = quantity !== undefined && quantity < 0
  const action =
    isNegative && mapping.negativeQuantity !== undefined
      ? mapping.negativeQuantity
      : (mapping.actions?.[word] ?? word)
  return {
    ts,
    product_id,
    action,
    ...(user_id === undefined ? {} : { user_id }),
    ...(session_id === undefined ? {} : { session_id }),
    ...(price === undefined ? {} : { price }),
    ...(quantity === undefined ? {} : { quantity: Math.abs(quantity) }),
    ...(cell(columns.order_id) === undefined ? {} : { order_id: cell(columns.order_id) }),
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function timeOf(text: string, unit: ReplayMapping['time']): number | null {
  const ms =
    unit === 'text'
      ? Date.parse(`${text.replace(/ ?UTC$/, '').replace(' ', 'T')}Z`)
      : Number(text || Number.NaN) * (unit === 'seconds' ? 1000 : 1)
  return Number.isFinite(ms) ? Math.round(ms) : null
}

async function sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
  const waitMs = atMs - performance.now()
  if (waitMs < 1) return
  await pause(Math.min(waitMs, 2 ** 31 - 1), signal)
  signal.throwIfAborted()
}
