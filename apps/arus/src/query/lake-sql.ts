/** Formats rows come in. */
export const SQL_FORMATS = ['json', 'csv', 'arrow', 'parquet'] as const
export type SqlFormat = (typeof SQL_FORMATS)[number]

/** Value of a parameter: by place (`$1`, `?`) or by name (`$name`). */
export type SqlParam = string | number | boolean | null
export type SqlParams = readonly SqlParam[] | Readonly<Record<string, SqlParam>>

/** A question to the lake, from someone who need not be trusted. */
export interface SqlQuestion {
  /** One SELECT. */
  readonly sql: string
  readonly params?: SqlParams
  readonly format: SqlFormat
  /** Rows at most; what is more is left out. */
  readonly rowLimit: number
  /** Counted from the call to the last byte taken. */
  readonly timeoutMs: number
  /** A version or an instant for every table the text does not pin itself. */
  readonly at?: string
  /** `nextCursor` of the page before; it belongs to the same text, parameters and `at`. */
  readonly cursor?: string
  readonly signal?: AbortSignal
}

export interface SqlColumn {
  readonly name: string
  /** As DuckDB spells it. */
  readonly type: string
}

export interface SqlAnswer {
  readonly columns: readonly SqlColumn[]
  readonly rowCount: number
  /** More rows exist than are given. */
  readonly isTruncated: boolean
  /** Leads to the rows that follow; null when there are none, or none that would be certain to follow. */
  readonly nextCursor: string | null
  /** What the asker should know, in words. */
  readonly warnings: readonly string[]
  /** Version of each table the answer stands for; `name@version` where one query reads several of one table. */
  readonly tableVersions: Readonly<Record<string, number>>
  /** Until the rows were there. */
  readonly tookMs: number
  /** The rows in the format asked for; `json` gives an array of arrays. To be read once, to its end or left. */
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * SQL over the lake for anyone: one SELECT over tables by name (`silver.events`, or `silver.events AT (VERSION => 12)`),
 * all pinned at one moment. It can reach nothing but the files of those versions, and nothing it does is felt by other
 * work: memory, disk, rows, bytes and time are bounded.
 *
 * Failures, thrown or out of `body`: `QUERY_INVALID`, `TABLE_UNKNOWN`, `TABLE_VERSION_UNKNOWN`, `QUERY_TIMEOUT`,
 * `QUERY_TOO_EXPENSIVE` (memory, disk, or the process did not survive it), `QUERY_QUEUE_FULL`, `CANCELLED`,
 * `REQUEST_INVALID` for a cursor that does not fit.
 */
export interface LakeSql {
  ask(question: SqlQuestion): Promise<SqlAnswer>
  isHealthy(): Promise<boolean>
  close(): Promise<void>
}
