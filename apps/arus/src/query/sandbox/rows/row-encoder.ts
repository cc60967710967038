import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api'

/** A column of a result, as an encoder needs it. */
export interface ResultColumn {
  readonly name: string
  readonly type: DuckDBType
}

/**
 * Turns the rows of a result into the bytes of a format. `begin`, `rows` for each chunk, `end`, in this order; what they
 * give, one after the other, is the whole. Failures of values that the format cannot hold are thrown by `begin`.
 */
export interface RowEncoder {
  begin(): Promise<Uint8Array>
  /** The first `count` rows of a chunk, which may be changed. */
  rows(chunk: DuckDBDataChunk, count: number): Promise<Uint8Array>
  end(): AsyncIterable<Uint8Array>
  /** Frees what the encoder holds, whether it came to its end or not. */
  close(): void
}

export const NO_BYTES: Uint8Array = new Uint8Array(0)
