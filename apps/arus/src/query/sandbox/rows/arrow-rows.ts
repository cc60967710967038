import type { DuckDBDataChunk } from '@duckdb/node-api'
import { Column, columnFromArray, Endianness, field, Table, tableToIPC, Version } from '@uwdata/flechette'
import { arrowMapping, orNull } from './arrow-types.ts'
import type { ResultColumn, RowEncoder } from './row-encoder.ts'

/** Ends an Arrow IPC stream: the continuation mark and a length of 0. Arrow format, "IPC Streaming Format". */
const END_OF_STREAM = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
const MARK_BYTES = 4

/**
 * Rows as an Arrow IPC stream, one record batch a chunk. The library encodes whole tables: each chunk is encoded as one,
 * and of its schema, batch and end only the batch is sent on; the schema is sent once, before.
 */
export function arrowRows(columns: readonly ResultColumn[]): RowEncoder {
  const mapped = columns.map(({ name, type }) => ({ name, mapping: arrowMapping(type) }))
  const schema = {
    version: Version.V5,
    endianness: Endianness.Little,
    fields: mapped.map(({ name, mapping }) => field(name, mapping.shown)),
    metadata: null,
  }
  const encode = (cells: (place: number) => readonly unknown[]) => {
    const built = mapped.map(({ mapping }, place) => columnFromArray([...cells(place)], mapping.stored))
    return tableToIPC(new Table(schema, built), { format: 'stream' }) as Uint8Array
  }
  return {
    async begin() {
      const empty = tableToIPC(
        new Table(
          schema,
          mapped.map(({ mapping }) => new Column([], mapping.shown)),
        ),
        {
          format: 'stream',
        },
      ) as Uint8Array
      return empty.slice(0, schemaLength(empty))
    },
    async rows(chunk: DuckDBDataChunk, count: number) {
      const whole = encode((place) => {
        const mapping = mapped[place]?.mapping
        return mapping === undefined ? [] : chunk.getColumnValues(place).slice(0, count).map(orNull(mapping))
      })
      return whole.slice(schemaLength(whole), -END_OF_STREAM.byteLength)
    },
    async *end() {
      yield END_OF_STREAM
    },
    close() {},
  }
}

/** Length of the first message of a stream, the schema's: mark, length, and that many bytes; it has no body. */
function schemaLength(stream: Uint8Array): number {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  return 2 * MARK_BYTES + view.getInt32(MARK_BYTES, true)
}
