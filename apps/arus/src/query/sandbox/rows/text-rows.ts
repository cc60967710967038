import {
  type DuckDBBlobValue,
  type DuckDBDataChunk,
  DuckDBListValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import { jsonValue } from '../../json-value.ts'
import { encodePages, type PageSelect } from './answer-pages.ts'
import type { AnswerRows } from './row-encoder.ts'
import { csvCell, csvText, jsonText, nestingOf } from './value-text.ts'

/** Types nested deeper are made into text here: DuckDB takes twice as long to bind a lambda for each lambda around it. */
const NESTING_MAX = 6

const COMMA: Uint8Array = Buffer.from(',')

/** Rows as a JSON array of arrays; values as `jsonValue` says. */
export async function* jsonRows(answer: AnswerRows): AsyncGenerator<Uint8Array> {
  const cells = () => answer.columns.map(({ type }, i) => `coalesce(${jsonText(type, `c${i}`)}, 'null')`)
  const pages = isDeep(answer)
    ? pagesOfValues(answer, (row) => JSON.stringify(row), ',')
    : pagesOfText(answer, () => `concat('[', ${cells().join(", ',', ")}, ']')`, ',')
  yield Buffer.from('[')
  let isFirst = true
  for await (const page of pages) {
    yield isFirst ? page : Buffer.concat([COMMA, page])
    isFirst = false
  }
  yield Buffer.from(']')
}

/** RFC 4180 with a line of names; NULL is an empty cell, an empty text a quoted one. Nested values as JSON. */
export async function* csvRows(answer: AnswerRows): AsyncGenerator<Uint8Array> {
  const { columns } = answer
  yield Buffer.from(`${columns.map(({ name }) => csvCell(name)).join(',')}\r\n`)
  const cells = () => columns.map(({ type }, i) => csvText(type, `c${i}`))
  yield* isDeep(answer)
    ? pagesOfValues(answer, (row) => `${row.map(csvOf).join(',')}\r\n`, '')
    : pagesOfText(answer, () => `concat(${cells().join(", ',', ")}, chr(13) || chr(10))`, '')
}

function isDeep({ columns }: AnswerRows): boolean {
  return columns.some(({ type }) => nestingOf(type) > NESTING_MAX)
}

/** Texts of rows made by DuckDB and joined: a text for each row would be a call into the engine for each. */
function pagesOfText(answer: AnswerRows, text: () => string, separator: string): AsyncGenerator<Uint8Array> {
  const select: PageSelect = {
    values: [text()],
    aggregates: (order) => [`encode(string_agg(v0, '${separator}'${order}))`],
  }
  return encodePages(answer, select, (page) => (page.getColumnVector(1).getItem(0) as DuckDBBlobValue).bytes)
}

/** Texts of rows made here, value by value. */
function pagesOfValues(
  answer: AnswerRows,
  text: (row: readonly unknown[]) => string,
  separator: string,
): AsyncGenerator<Uint8Array> {
  const select: PageSelect = {
    values: answer.columns.map((_, i) => `c${i}`),
    aggregates: (order) => answer.columns.map((_, i) => `list(v${i}${order})`),
  }
  return encodePages(answer, select, (page, rowCount) => {
    const columns = answer.columns.map((_, i) => itemsOf(page, i + 1))
    const rows = Array.from({ length: rowCount }, (_, row) =>
      columns.map((items) => jsonValue(items[row] ?? null)),
    )
    return Buffer.from(rows.map(text).join(separator))
  })
}

function itemsOf(page: DuckDBDataChunk, column: number): readonly DuckDBValue[] {
  const list = page.getColumnVector(column).getItem(0)
  return list instanceof DuckDBListValue ? list.items : []
}

function csvOf(value: unknown): string {
  if (value === null) return ''
  return csvCell(typeof value === 'object' ? JSON.stringify(value) : String(value))
}
