import type { AddFile, DeltaTable, Relation } from '@arus/delta'
import type { FileOptions } from '@arus/delta/duckdb'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { DuckDb } from './duckdb.ts'
import type { TableName } from './table-names.ts'

export interface WriteOptions {
  readonly mode: 'append' | 'overwrite'
  /** With `overwrite`: only partitions with these values are replaced. */
  readonly partitions?: readonly Readonly<Record<string, string>>[]
  /**
   * With `overwrite`: exactly these files are replaced. What others append meanwhile stays; a `conflict` when another
   * replaced one of them first.
   */
  readonly files?: readonly AddFile[]
  /** The version the SELECT was computed from. A change since then is a `conflict`; without it, it is replaced too. */
  readonly readVersion?: number
  /** A transaction applied before makes the write a no-op. */
  readonly transactions?: readonly { readonly appId: string; readonly version: number }[]
  /**
   * With `append`: the version whose transactions were looked at. When one of the same applications moved since then the
   * write is a `conflict`; other changes do not matter.
   */
  readonly transactionsReadAt?: number
  /** The connection the SELECT runs on (for its temporary tables); it must not run anything else meanwhile. */
  readonly connection?: DuckDBConnection
  /** How the data files are written. */
  readonly fileOptions?: FileOptions
  /** What the table's history says was done. Default `WRITE`. */
  readonly operation?: string
}

/** SQL of the rows to write. */
export type Selects = string | Iterable<string> | AsyncIterable<string>

export interface WriteResult {
  readonly kind: 'committed' | 'skipped' | 'conflict'
  readonly version: number
  readonly rowCount: number
  readonly sizeBytes: number
}

/** Facts of a table that exists. */
export interface TableInfo {
  readonly name: TableName
  readonly version: number
  readonly rowCount: number
  readonly fileCount: number
  readonly sizeBytes: number
  readonly updatedAtMs: number | null
}

/** The shop's Delta tables. Several processes may have the lake open and write to it. */
export interface Lake {
  readonly duckdb: DuckDb
  /** A stretch without an event this long ends a session that no sender named. */
  readonly sessionGapMinutes: number
  /** Made from its definition when it is not there. */
  table(name: TableName): Promise<DeltaTable>
  /** FROM text of a table at its newest (or a given) version, columns typed, and the version it stands for. */
  relation(name: TableName, version?: number): Promise<Relation>
  /** FROM text of some files of a table, which one of its versions must still name. */
  relationOfFiles(name: TableName, files: readonly AddFile[]): Promise<string>
  /**
   * Writes the rows of a SELECT, or of several one after another, as one commit; each is taken when the one before is written.
   * Columns go by name and must be of their declared types; see `DeltaTable.write`.
   */
  write(name: TableName, select: Selects, options: WriteOptions): Promise<WriteResult>
  /** Whether the table was ever written; makes none. */
  has(name: TableName): Promise<boolean>
  /** The table as it is opened anew: seen, too, where somebody removed it and made it again under the same versions. */
  reopen(name: TableName): Promise<DeltaTable>
  /** Removes a table with its history and makes it again, empty. Only for tables that can be computed again. */
  recreate(name: TableName): Promise<DeltaTable>
  /** Tables that exist. */
  describe(): Promise<TableInfo[]>
  close(): Promise<void>
}
