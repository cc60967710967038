import type { Action, PartitionValues } from './actions.ts'
import type { Scan } from './scan.ts'
import type { StructField } from './schema.ts'
import type { Snapshot } from './snapshot.ts'

/** A data file that was written and published, not yet part of a version. */
export interface DataFile {
  /** Relative to the root, as on disk (not URI-encoded). */
  readonly path: string
  readonly sizeBytes: number
  readonly rowCount: number
  readonly partitionValues: PartitionValues
  /** JSON; see `AddFile`. */
  readonly stats: string
}

/** Where rows are written, and as what. */
export interface WriteTarget {
  /**
   * `rows` of the table; or `changes` of rows, which have `_change_type` as their last column, go to `_change_data`, and
   * are held to no constraint, since rows that were there may break one.
   */
  readonly content: 'rows' | 'changes'
  /** Schema, partition columns, constraints and column mapping of the table. */
  readonly table: Pick<Snapshot, 'schema' | 'partitionColumns' | 'metadata' | 'protocol'>
  /** The table's root on this machine's disk. */
  readonly localRoot: string
}

/**
 * What the library needs of an engine that reads and writes Parquet files on this machine's disk and speaks SQL.
 * Queries are text of the engine's SQL; names in them are quoted by `quoteName`.
 */
export interface ParquetEngine {
  /** Writes a checkpoint (Protocol, "Checkpoint Schema"), one row per action; returns its size in bytes. */
  writeActions(localPath: string, actions: readonly Action[]): Promise<number>
  /** The rows of a scan as text for FROM, columns typed and named as the table declares them. */
  relation(scan: Scan): Promise<string>
  /**
   * Writes the rows of a SELECT as data files, not yet committed. Columns go by name; their types must be the declared
   * ones or fit into them without loss. Throws `DELTA_SCHEMA_MISMATCH`, and `DELTA_CONSTRAINT_VIOLATED` when rows break
   * NOT NULL, an invariant or a constraint; nothing is left then. No rows give no files.
   */
  write(selectSql: string, target: WriteTarget): Promise<DataFile[]>
  /** The columns a SELECT gives, in the nearest Delta types. Throws `DELTA_SCHEMA_MISMATCH` for types that have none. */
  columns(selectSql: string): Promise<StructField[]>
  /** Runs a statement; its rows, values as JSON has them and 64-bit integers as text. */
  rows(sql: string): Promise<Record<string, unknown>[]>
  /** The name as one identifier of the engine's SQL. */
  quoteName(name: string): string
  /** The text as one string literal. */
  quoteText(text: string): string
}
