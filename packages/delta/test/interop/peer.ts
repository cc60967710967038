import type { StructField, StructType } from '../../src/index.ts'
import type { Row } from './typed-rows.ts'

export interface TableDefinition {
  readonly schema: StructType
  readonly partitionColumns: readonly string[]
  readonly properties: Readonly<Record<string, string>>
}

export interface TableRead {
  readonly schema: StructType
  readonly rows: readonly Row[]
}

/**
 * Something that reads and writes Delta tables, named by their local path. Predicates and expressions are SQL that all
 * of them understand. Every call opens the table anew.
 */
export interface Peer {
  readonly name: string
  create(path: string, table: TableDefinition): Promise<void>
  read(path: string, version?: number): Promise<TableRead>
  /** The change data feed of versions `from` to `to`, with `_change_type` and `_commit_version`. */
  changes(path: string, from: number, to: number): Promise<TableRead>
  append(path: string, schema: StructType, rows: readonly Row[]): Promise<void>
  /** Appends as version `version` of `appId`; where the peer honours it, nothing happens when that was applied. */
  appendOnce(path: string, schema: StructType, once: OnceRows): Promise<void>
  /** Replaces the rows of a partition; all rows without it. */
  overwrite(
    path: string,
    schema: StructType,
    rows: readonly Row[],
    partition?: PartitionChoice,
  ): Promise<void>
  delete(path: string, where: string): Promise<void>
  update(path: string, set: Readonly<Record<string, string>>, where: string): Promise<void>
  /** Rows replace those of the same `id`; others are added. */
  upsert(path: string, schema: StructType, rows: readonly Row[]): Promise<void>
  addColumn(path: string, field: StructField): Promise<void>
  addConstraint(path: string, name: string, expression: string): Promise<void>
  optimize(path: string): Promise<void>
  restore(path: string, version: number): Promise<void>
  /** Removes what the newest version does not need, whatever its age. */
  vacuum(path: string): Promise<void>
  checkpoint(path: string): Promise<void>
}

export interface PartitionChoice {
  readonly column: string
  readonly value: string
}

export interface OnceRows {
  readonly rows: readonly Row[]
  readonly appId: string
  readonly version: number
}
