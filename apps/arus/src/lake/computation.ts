import type { AddFile, Snapshot } from '@arus/delta'
import type { Lake, WriteOptions, WriteResult } from './lake-port.ts'
import type { TableName } from './table-names.ts'

/** What engines write in words of their own; all other SQL of the derived tables is what each of them reads. */
export interface Dialect {
  /** UTC milliseconds of a timestamp. */
  millis(timestamp: string): string
  /** The UTC hour a timestamp is in, a timestamp. */
  hourStart(timestamp: string): string
  /** 1 is Monday. */
  isoWeekday(timestamp: string): string
  hourOfDay(timestamp: string): string
}

export type DerivedWriteOptions = Required<
  Pick<WriteOptions, 'mode' | 'readVersion' | 'transactions' | 'operation'>
> &
  Pick<WriteOptions, 'partitions'>

/**
 * Where derived tables are computed, for one refinement: DuckDB in this process, or Spark. Texts given and taken are SQL; one that
 * stands for rows can follow FROM.
 */
export interface Computation {
  readonly dialect: Dialect
  /** Rows that one SELECT may hold at a time; work on more is cut into parts. */
  readonly rowsMax: number
  /** All rows of a table at a version. */
  rows(name: TableName, snapshot: Snapshot): Promise<string>
  /** Rows of some of the files that a version of a table has. */
  rowsOf(name: TableName, version: number, files: readonly AddFile[]): Promise<string>
  /** Keeps these rows under a name, in place of what it stood for, computed once, until the computation is closed. */
  keep(name: string, selects: string | readonly string[]): Promise<void>
  /** A few rows, their columns as texts; null stays null. */
  read(select: string): Promise<(string | null)[][]>
  /** As `Lake.write`. The first transaction is in one commit with the rows; where the engine's commits hold one only, the others follow. */
  write(name: TableName, selects: readonly string[], options: DerivedWriteOptions): Promise<WriteResult>
  close(): Promise<void>
}

export type Compute = (lake: Lake) => Promise<Computation>
