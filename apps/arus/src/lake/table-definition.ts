import { column, type DataType, type StructType } from '@arus/delta'
import type { QualityCheck } from './quality-check.ts'
import type { TableName } from './table-names.ts'

/** A column and what it means: the docs and the SQL page's schema browser come from here. */
export interface ColumnDefinition {
  readonly name: string
  readonly type: DataType
  /** What a number counts or is measured in; null for texts, flags and the like. */
  readonly unit: string | null
  /** In words. */
  readonly meaning: string
}

/** A table of the lake, as data. */
export interface TableDefinition {
  readonly name: TableName
  readonly meaning: string
  readonly columns: readonly ColumnDefinition[]
  readonly partitionColumns: readonly string[]
  /** What the rows of a file are sorted by when small files are put together. */
  readonly clusterColumns: readonly string[]
  /** What must hold of its rows. */
  readonly checks: readonly QualityCheck[]
}

export interface TableFeatures {
  readonly partitionColumns?: readonly string[]
  readonly clusterColumns?: readonly string[]
  readonly checks?: readonly QualityCheck[]
}

/** Columns written as `name type [unit] meaning`, one a line, the unit where there is one: the shortest form that reads as a table. */
export function defineTable(
  name: TableName,
  meaning: string,
  columns: string,
  { partitionColumns = [], clusterColumns = [], checks = [] }: TableFeatures = {},
): TableDefinition {
  const lines = columns.split('\n').filter((line) => line.trim() !== '')
  return { name, meaning, columns: lines.map(columnOf), partitionColumns, clusterColumns, checks }
}

function columnOf(line: string): ColumnDefinition {
  const [, name = '', type = '', unit = null, meaning = ''] =
    /^\s*(\S+)\s+(\S+)\s+(?:\[([^\]]+)\]\s+)?(.*?)\s*$/.exec(line) ?? []
  return { name, type: type as DataType, unit: unit ?? null, meaning }
}

/** The Delta schema; every column may be null, what must not be is kept out before it is written. */
export function deltaSchema({ columns }: TableDefinition): StructType {
  return {
    type: 'struct',
    fields: columns.map(({ name, type, unit, meaning }) =>
      column(name, type, { comment: unit === null ? meaning : `${meaning} [${unit}]` }),
    ),
  }
}
