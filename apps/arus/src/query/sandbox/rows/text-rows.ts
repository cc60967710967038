import type { DuckDBBlobValue } from '@duckdb/node-api'
import { encodePages, type PageSelect } from './answer-pages.ts'
import type { AnswerRows } from './row-encoder.ts'
import { csvCell, csvText, jsonText } from './value-text.ts'

/** Rows as a JSON array of arrays; values as `jsonText` says. */
export async function* jsonRows(answer: AnswerRows): AsyncGenerator<Uint8Array> {
  const cells = answer.columns.map(({ type }, i) => `coalesce(${jsonText(type, `c${i}`)}, 'null')`)
  yield Buffer.from('[')
  yield* encodePages(
    answer,
    joined(`concat('[', ${cells.join(", ',', ")}, ']')`, ','),
    (page, _count, isFirst) =>
      isFirst
        ? blobOf(page.getColumnVector(1).getItem(0))
        : Buffer.concat([COMMA, blobOf(page.getColumnVector(1).getItem(0))]),
  )
  yield Buffer.from(']')
}

/** RFC 4180 with a line of names; NULL is an empty cell, an empty text a quoted one. Nested values as JSON. */
export async function* csvRows(answer: AnswerRows): AsyncGenerator<Uint8Array> {
  const { columns } = answer
  yield Buffer.from(`${columns.map(({ name }) => csvCell(name)).join(',')}\r\n`)
  const cells = columns.map(({ type }, i) => csvText(type, `c${i}`))
  const line = `concat(${cells.join(", ',', ")}, chr(13) || chr(10))`
  yield* encodePages(answer, joined(line, ''), (page) => blobOf(page.getColumnVector(1).getItem(0)))
}

const COMMA: Uint8Array = Buffer.from(',')

/** All texts of a page as one, in bytes: a text for each row would be a call into the engine for each. */
function joined(text: string, separator: string): PageSelect {
  return { values: [text], aggregates: (order) => [`encode(string_agg(v0, '${separator}'${order}))`] }
}

function blobOf(value: unknown): Uint8Array {
  return (value as DuckDBBlobValue).bytes
}
