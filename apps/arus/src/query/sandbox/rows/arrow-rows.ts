import type { DuckDBDataChunk } from '@duckdb/node-api'
import { Column, Endianness, field, Table, tableToIPC, Version } from '@uwdata/flechette'
import { encodePages } from './answer-pages.ts'
import { arrowColumn } from './arrow-columns.ts'
import type { AnswerRows } from './row-encoder.ts'

/** Ends an Arrow IPC stream: the continuation mark and a length of 0. Arrow format, "IPC Streaming Format". */
const END_OF_STREAM = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
const MARK_BYTES = 4

/**
 * Rows as an Arrow IPC stream, one record batch a page. The library encodes whole tables: each page is encoded as one,
 * and of its schema, batch and end only the batch is sent on; the schema is sent once, before.
 */
export async function* arrowRows(answer: AnswerRows): AsyncGenerator<Uint8Array> {
  let place = 0
  const columns = answer.columns.map(({ name, type }) => ({ name, ...arrowColumn(type) }))
  const parts = columns.map((column, i) => {
    const aggregates = column.aggregates(`v${i}`)
    const first = place + 1
    place += aggregates.length
    return { column, aggregates, first }
  })
  const schema = {
    version: Version.V5,
    endianness: Endianness.Little,
    fields: columns.map(({ name, type }) => field(name, type)),
    metadata: null,
  }
  const encode = (built: Column<unknown>[]) =>
    tableToIPC(new Table(schema, built), { format: 'stream' }) as Uint8Array
  const empty = encode(columns.map(({ type }) => new Column([], type)))
  yield empty.slice(0, schemaLength(empty))
  yield* encodePages(
    answer,
    {
      values: columns.map(({ value }, i) => value(`c${i}`)),
      aggregates: (order) => parts.flatMap(({ aggregates }) => aggregates.map((each) => each(order))),
    },
    (page: DuckDBDataChunk, rowCount) => {
      const whole = encode(parts.map(({ column, first }) => column.build(page, first, rowCount)))
      return whole.subarray(schemaLength(whole), -END_OF_STREAM.byteLength)
    },
  )
  yield END_OF_STREAM
}

/** Length of the first message of a stream, the schema's: mark, length, and that many bytes; it has no body. */
function schemaLength(stream: Uint8Array): number {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  return 2 * MARK_BYTES + view.getInt32(MARK_BYTES, true)
}
