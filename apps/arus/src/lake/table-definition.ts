import { column, type DataType, type StructType } from '@arus/delta'
import type { TableName } from './table-names.ts'

/** A column and what it means: the docs and the SQL page's schema browser come from here. */
export interface ColumnDefinition {
  readonly name: string
  readonly type: DataType
  /** In words, with the unit. */
  readonly meaning: string
}

/** A table of the lake, as data. */
export interface TableDefinition {
  readonly name: TableName
  readonly meaning: string
  readonly columns: readonly ColumnDefinition[]
  readonly partitionColumns: readonly string[]
}

/** Columns written as `name type meaning`, one a line: the shortest form that reads as a table. */
export function defineTable(
  name: TableName,
  meaning: string,
  columns: string,
  partitionColumns: readonly string[] = [],
): TableDefinition {
  const lines = columns.split('\n').filter((line) => line.trim() !== '')
  return {
    name,
    meaning,
    partitionColumns,
    columns: lines.map((line) => {
      const [columnName = '', type = '', ...words] = line.trim().split(/\s+/)
      return { name: columnName, type: type as DataType, meaning: words.join(' ') }
    }),
  }
}

/** The Delta schema; every column may be null, what must not be is kept out before it is written. */
export function deltaSchema({ columns }: TableDefinition): StructType {
  return {
    type: 'struct',
    fields: columns.map(({ name, type, meaning }) => column(name, type, { comment: meaning })),
  }
}
