import type { DuckDBDataChunk } from '@duckdb/node-api'
import { ArusError } from '../../../errors.ts'
import { listOf } from './list-vector.ts'
import type { AnswerRows } from './row-encoder.ts'

/** Rows of a page. The first is small, so that rows of any width fit; the next are as many as were about `PAGE_BYTES`. */
const PAGE_ROWS = { first: 64, growth: 16, most: 32_768 }
const PAGE_BYTES = 4 * 1024 * 1024

/** What is read of each page. */
export interface PageSelect {
  /** Expressions over `c0`, `c1`, … of a row. */
  readonly values: readonly string[]
  /** Aggregates over the values, `v0`, `v1`, …; `order` must end the arguments of each whose result depends on the order of rows. */
  aggregates(order: string): readonly string[]
}

/**
 * The rows of an answer, some thousands at a time: DuckDB makes one row of aggregates of each page, `encode` bytes of it.
 * So what is done for each row is done by the engine, and nothing of it here.
 */
export async function* encodePages(
  answer: AnswerRows,
  select: PageSelect,
  encode: (page: DuckDBDataChunk, rowCount: number, isFirst: boolean) => Uint8Array,
): AsyncGenerator<Uint8Array, void> {
  let size = PAGE_ROWS.first
  for (let from = 0; from < answer.rowCount; ) {
    const count = Math.min(size, answer.rowCount - from)
    const bytes = encode(await readPage(answer, select, { from, count }), count, from === 0)
    yield bytes
    from += count
    const fitting = Math.floor((count * PAGE_BYTES) / Math.max(1, bytes.byteLength))
    size = Math.max(1, Math.min(PAGE_ROWS.most, count * PAGE_ROWS.growth, fitting))
  }
}

interface PageRange {
  readonly from: number
  readonly count: number
}

/**
 * Rows come in their order when one thread reads them, which is so but where a page lies in two row groups. To ask for the order
 * costs as much again as all the rest, so it is looked at first and asked for only where it was not kept.
 */
async function readPage(answer: AnswerRows, select: PageSelect, range: PageRange): Promise<DuckDBDataChunk> {
  for (const order of ['', ' ORDER BY place']) {
    const page = await aggregate(answer, select, range, order)
    if (page !== null && isInOrder(page, range)) return page
  }
  throw new ArusError(
    'QUERY_TOO_EXPENSIVE',
    `Rows ${range.from} to ${range.from + range.count} could not be read back; ask for fewer`,
  )
}

async function aggregate(
  { connection }: AnswerRows,
  { values, aggregates }: PageSelect,
  { from, count }: PageRange,
  order: string,
): Promise<DuckDBDataChunk | null> {
  const list = ['rowid AS place', ...values.map((value, i) => `${value} AS v${i}`)].join(', ')
  const result = await connection.run(
    `SELECT ${[`list(place${order})`, ...aggregates(order)].join(', ')} FROM
     (SELECT ${list} FROM answer WHERE rowid >= ${from} AND rowid < ${from + count})`,
  )
  return result.fetchChunk()
}

function isInOrder(page: DuckDBDataChunk, { from, count }: PageRange): boolean {
  const { bytes } = listOf(page, 0, BigInt64Array.BYTES_PER_ELEMENT)
  const places = new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)
  return places.length === count && places.every((place, i) => Number(place) === from + i)
}
