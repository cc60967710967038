import { fieldId, physicalName } from '../column-mapping.ts'
import type { PartitionColumn } from '../partition-values.ts'
import { SCAN_FILE, SCAN_ROW, type Scan, type ScanFile } from '../scan.ts'
import type { StructField } from '../schema.ts'
import { fieldsOf } from '../table-features.ts'
import { renamed } from './mapped-columns.ts'
import { sqlName, sqlText, sqlType } from './sql-types.ts'
import { marksNoText } from './text-layouts.ts'

/** DuckDB's column with the index of a row in its file. */
export const ROW_NUMBER = 'file_row_number'

/** `read_parquet` of some files of a scan; its columns are `c0`, … in the order of `dataFields`, and `SCAN_FILE`. */
export function scanSource(scan: Scan, files: readonly ScanFile[]): string {
  const data = dataFields(scan)
  const list = files.map((file) => sqlText(file.localPath)).join(', ')
  const options = [`filename = ${sqlText(SCAN_FILE)}`, 'hive_partitioning = false']
  if (data.length > 0) options.push(`schema = ${schemaOf(scan, data)}`)
  if (marksNoText(scan)) options.push('binary_as_string = true')
  const rowCount = rowCountEstimate(files)
  if (rowCount !== null) options.push(`explicit_cardinality = ${rowCount}`)
  return `read_parquet([${list}], ${options.join(', ')})`
}

/** DuckDB takes files of a given schema to be empty, and would make the hash table of a join from them. */
function rowCountEstimate(files: readonly ScanFile[]): number | null {
  const counts = files.map((file) => file.rowCountEstimate)
  if (counts.includes(null)) return null
  return Math.max(
    1,
    counts.reduce<number>((sum, count) => sum + (count ?? 0), 0),
  )
}

/** The list of a SELECT from `scanSource`: the table's columns; `partition` is the text of a partition's value, as SQL. */
export function scanColumns(scan: Scan, partition: (column: PartitionColumn) => string): string {
  const partitions = new Map(scan.partitionColumns.map((column) => [column.field, column]))
  const data = dataFields(scan)
  const columns = scan.schema.fields.map((field) => {
    const column = partitions.get(field)
    const value = column
      ? partitionExpression(partition(column), field)
      : dataExpression(scan, field, data.indexOf(field))
    return `${value} AS ${sqlName(field.name)}`
  })
  if (scan.withPosition) columns.push(SCAN_FILE, `${ROW_NUMBER} AS ${SCAN_ROW}`)
  return columns.length === 0 ? '1' : columns.join(', ')
}

function dataFields({ schema, partitionColumns }: Scan): StructField[] {
  const partitions = new Set(partitionColumns.map(({ field }) => field))
  return schema.fields.filter((field) => !partitions.has(field) && field.type !== 'void')
}

/** A column of the files. Its name there is ours (`c0`, …), so that it cannot be that of one of DuckDB's own columns. */
function dataExpression({ columnMapping: mode }: Scan, field: StructField, index: number): string {
  if (field.type === 'void') return 'CAST(NULL AS INTEGER)'
  const value = renamed(`c${index}`, field.type, { to: 'logical', mode })
  // DuckDB 1.5 casts the constant of a condition to the type a file has, not the file's value to the column's: 1 = 1.4 would
  // be true of a column that was widened. It does not look through coalesce.
  return isWidened(field) ? `coalesce(${value}, NULL)` : value
}

/** Protocol, "Type Change Metadata". */
function isWidened(field: StructField): boolean {
  return [field, ...fieldsOf(field.type)].some(({ metadata }) => 'delta.typeChanges' in metadata)
}

/** Columns found by name, or by field id; absent ones are NULL; values are cast (Protocol, "Type Widening"). */
function schemaOf({ columnMapping }: Scan, fields: readonly StructField[]): string {
  const entries = fields.map((field, i) => {
    const key = columnMapping === 'id' ? String(fieldId(field)) : sqlText(physicalName(field, columnMapping))
    return `${key}: {name: 'c${i}', type: ${sqlText(sqlType(field.type, columnMapping))}, default_value: NULL}`
  })
  return `MAP {${entries.join(', ')}}`
}

/** Protocol, "Partition Value Serialization". */
function partitionExpression(text: string, { type }: StructField): string {
  if (text !== 'NULL' && type === 'binary') return `encode(${text})`
  return `CAST(${text} AS ${sqlType(type)})`
}
