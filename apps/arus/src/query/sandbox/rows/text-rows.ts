import type { DuckDBDataChunk, DuckDBValue } from '@duckdb/node-api'
import { jsonValue } from '../../json-value.ts'
import type { ResultColumn, RowEncoder } from './row-encoder.ts'

/** Rows as a JSON array of arrays; values as `jsonValue` says. */
export function jsonRows(): RowEncoder {
  let isFirst = true
  return textEncoder({
    begin: '[',
    row(row) {
      const text = `${isFirst ? '' : ','}${JSON.stringify(row.map(jsonValue))}`
      isFirst = false
      return text
    },
    end: ']',
  })
}

/** RFC 4180 with a line of names; NULL is an empty cell, an empty text a quoted one. Nested values as JSON. */
export function csvRows(columns: readonly ResultColumn[]): RowEncoder {
  const line = (cells: readonly string[]) => `${cells.join(',')}\r\n`
  return textEncoder({
    begin: line(columns.map(({ name }) => csvCell(name))),
    row: (row) => line(row.map((value) => csvCell(jsonValue(value)))),
    end: '',
  })
}

interface TextFormat {
  readonly begin: string
  row(row: readonly DuckDBValue[]): string
  readonly end: string
}

function textEncoder({ begin, row, end }: TextFormat): RowEncoder {
  const bytes = (text: string): Uint8Array => Buffer.from(text)
  return {
    begin: async () => bytes(begin),
    rows: async (chunk: DuckDBDataChunk, count: number) =>
      bytes(chunk.getRows().slice(0, count).map(row).join('')),
    async *end() {
      if (end !== '') yield bytes(end)
    },
    close() {},
  }
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
