import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api'

/** A column of a result, as an encoder needs it. */
export interface ResultColumn {
  readonly name: string
  readonly type: DuckDBType
}

/** Rows that are computed: the first `rowCount` of the table `answer`, whose columns are `c0`, `c1`, …, in the order of their rowid. */
export interface AnswerRows {
  readonly connection: DuckDBConnection
  readonly columns: readonly ResultColumn[]
  readonly rowCount: number
}

/** The bytes of a format, piece by piece; what is thrown before the first 64 KB is an answer of its own. */
export type RowEncoder = (answer: AnswerRows) => AsyncIterable<Uint8Array>
