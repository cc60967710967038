import { fieldId, physicalName } from '../column-mapping.ts'
import { byPartition, type PartitionColumn, partitionValue } from '../partition-values.ts'
import { SCAN_FILE, SCAN_ROW, type Scan, type ScanFile } from '../scan.ts'
import type { StructField } from '../schema.ts'
import { fieldsOf } from '../table-features.ts'
import { renamed } from './mapped-columns.ts'
import { sqlName, sqlText, sqlType } from './sql-types.ts'

/** DuckDB's column with the index of a row in its file. */
const ROW_NUMBER = 'file_row_number'

/** Files read by one `read_parquet`, and how their partition columns are told. */
interface Group {
  readonly files: readonly ScanFile[]
  readonly partition: (column: PartitionColumn) => string
  /** Condition that leaves out deleted rows. */
  readonly where: string | null
}

/**
 * The rows of a scan as text for SQL's FROM: columns in the order of the schema and of their declared types, those that
 * a file lacks as NULL, partition columns from the log, deleted rows left out. Files are pruned by conditions on
 * partition columns, row groups by conditions on others.
 */
export function relationOf(scan: Scan): string {
  if (scan.files.length === 0) return emptyRelation(scan)
  const selects = groupsOf(scan).map((group) => selectOf(scan, group))
  return `(${selects.join(' UNION ALL ')})`
}

function emptyRelation({ schema, withPosition }: Scan): string {
  const columns = schema.fields.map(({ name, type }) => `CAST(NULL AS ${sqlType(type)}) AS ${sqlName(name)}`)
  if (withPosition) columns.push(`'' AS ${SCAN_FILE}`, `0::BIGINT AS ${SCAN_ROW}`)
  return `(SELECT ${columns.length === 0 ? '1' : columns.join(', ')} WHERE false)`
}

/** By folders that tell the partition where they do, else by partition, files with deleted rows each by itself. */
function groupsOf(scan: Scan): Group[] {
  const whole = scan.files.filter((file) => file.deletedRows === null)
  const partial = scan.files.filter((file) => file.deletedRows !== null)
  const hive = whole.filter((file) => isHive(file, scan.partitionColumns))
  const groups: Group[] = hive.length === 0 ? [] : [{ files: hive, partition: fromFolder(scan), where: null }]
  for (const files of byPartition(
    whole.filter((file) => !hive.includes(file)),
    scan.partitionColumns,
  )) {
    groups.push({ files, partition: fromLog(files[0]), where: null })
  }
  for (const file of partial) {
    groups.push({
      files: [file],
      partition: fromLog(file),
      where: notDeleted(file.deletedRows ?? new Float64Array()),
    })
  }
  return groups
}

function selectOf(scan: Scan, { files, partition, where }: Group): string {
  const partitions = new Map(scan.partitionColumns.map((column) => [column.field, column]))
  const data = scan.schema.fields.filter((field) => !partitions.has(field) && field.type !== 'void')
  const columns = scan.schema.fields.map((field) => {
    const column = partitions.get(field)
    const value = column
      ? partitionExpression(partition(column), field)
      : dataExpression(scan, field, data.indexOf(field))
    return `${value} AS ${sqlName(field.name)}`
  })
  if (scan.withPosition) columns.push(SCAN_FILE, `${ROW_NUMBER} AS ${SCAN_ROW}`)
  const list = files.map((file) => sqlText(file.localPath)).join(', ')
  const options = [`filename = ${sqlText(SCAN_FILE)}`, 'hive_partitioning = false']
  if (data.length > 0) options.push(`schema = ${schemaOf(scan, data)}`)
  const from = `read_parquet([${list}], ${options.join(', ')})`
  return `SELECT ${columns.length === 0 ? '1' : columns.join(', ')} FROM ${from}${where === null ? '' : ` WHERE ${where}`}`
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

/** True when folders alone tell the partition, in characters that are never encoded. */
function isHive(file: ScanFile, partitionColumns: readonly PartitionColumn[]): boolean {
  const folders = file.path.split('/').slice(-1 - partitionColumns.length, -1)
  return (
    folders.length === partitionColumns.length &&
    partitionColumns.every((column, i) => {
      const value = file.partitionValues[column.key]
      return typeof value === 'string' && /^[\w.-]+$/.test(value) && folders[i] === `${column.key}=${value}`
    })
  )
}

function fromFolder({ partitionColumns }: Scan): Group['partition'] {
  return (column) => {
    const fromEnd = partitionColumns.length - partitionColumns.indexOf(column) + 1
    return `substr(split_part(${SCAN_FILE}, '/', -${fromEnd}), ${column.key.length + 2})`
  }
}

function fromLog(file: ScanFile | undefined): Group['partition'] {
  return (column) => {
    const value = file === undefined ? null : partitionValue(file.partitionValues, column)
    return value === null ? 'NULL' : sqlText(value)
  }
}

/** Protocol, "Partition Value Serialization". */
function partitionExpression(text: string, { type }: StructField): string {
  if (text !== 'NULL' && type === 'binary') return `encode(${text})`
  return `CAST(${text} AS ${sqlType(type)})`
}

/** A list of row numbers, or a bit for each row up to the last deleted, whichever is the shorter text. */
function notDeleted(rows: Float64Array): string {
  const last = rows.at(-1)
  if (last === undefined) return 'true'
  const list = rows.join(',')
  if (list.length <= last) return `${ROW_NUMBER} NOT IN (${list})`
  const bits = Buffer.alloc(last + 1, '0')
  for (const row of rows) bits[row] = 0x31
  return `CASE WHEN ${ROW_NUMBER} > ${last} THEN true ELSE get_bit(${sqlText(bits.toString('latin1'))}::BIT, ${ROW_NUMBER}::INTEGER) = 0 END`
}
