import type { TableName } from '../lake/table-names.ts'
import type { SqlDialect } from './sql-dialect.ts'

export interface QueryOptions {
  /** Values of `$1`, `$2`, … in the SQL. */
  readonly params?: readonly (string | number | boolean | null)[]
  /** Rows returned at most; default 10,000. */
  readonly rowLimit?: number
  /** Killed after this; default 30,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** JSON-ready: timestamps as ISO 8601 UTC strings, 64-bit integers as numbers where exact, else strings. */
  readonly rows: readonly (readonly unknown[])[]
  readonly truncated: boolean
  readonly took_ms: number
  /** Version of each Delta table the answer was computed from. */
  readonly table_versions: Readonly<Record<string, number>>
}

/**
 * SQL over the lake's tables, by their names (`silver.events`), for texts that Arus wrote. Reads only: anything but one SELECT is refused with
 * `QUERY_INVALID`, a query past its deadline with `QUERY_TIMEOUT`. Each query sees each table at one version.
 */
export interface QueryEngine {
  /** The SQL it reads. */
  readonly dialect: SqlDialect
  query(sql: string, options?: QueryOptions): Promise<QueryResult>
  /** The newest version of each table. */
  versions(tables: readonly TableName[]): Promise<Readonly<Record<string, number>>>
  isHealthy(): Promise<boolean>
  close(): Promise<void>
}
