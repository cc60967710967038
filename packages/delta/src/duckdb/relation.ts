import { byPartition, type PartitionColumn, partitionValue } from '../partition-values.ts'
import { SCAN_FILE, SCAN_ROW, type Scan, type ScanFile } from '../scan.ts'
import { deletedList, rowBits } from './deleted-rows.ts'
import { joinedSelect } from './joined-select.ts'
import { ROW_NUMBER, scanColumns, scanSource } from './scan-source.ts'
import { sqlName, sqlText, sqlType } from './sql-types.ts'

/** Files read by one `read_parquet`, and how their partition columns are told. */
interface Group {
  readonly files: readonly ScanFile[]
  readonly partition: (column: PartitionColumn) => string
  /** Condition that leaves out deleted rows. */
  readonly where: string | null
}

/**
 * With more, what the log says of files is joined to them: DuckDB takes half a millisecond to plan each SELECT, many times
 * that where there are thousands. With fewer it leaves out files by conditions on partition columns.
 */
const GROUPS_MAX = 100

/**
 * The rows of a scan as text for SQL's FROM: columns in the order of the schema and of their declared types, those that
 * a file lacks as NULL, partition columns from the log, deleted rows left out. Files are pruned by conditions on
 * partition columns (of up to `groupsMax` partitions and files with deleted rows), row groups by conditions on others.
 */
export function relationOf(
  scan: Scan,
  { groupsMax = GROUPS_MAX }: { readonly groupsMax?: number } = {},
): string {
  if (scan.files.length === 0) return emptyRelation(scan)
  const groups = groupsOf(scan)
  if (groups.length > groupsMax) return `(${joinedSelect(scan)})`
  return `(${groups.map((group) => selectOf(scan, group)).join(' UNION ALL ')})`
}

function emptyRelation({ schema, withPosition }: Scan): string {
  const columns = schema.fields.map(({ name, type }) => `CAST(NULL AS ${sqlType(type)}) AS ${sqlName(name)}`)
  if (withPosition) columns.push(`'' AS ${SCAN_FILE}`, `0::BIGINT AS ${SCAN_ROW}`)
  return `(SELECT ${columns.length === 0 ? '1' : columns.join(', ')} WHERE false)`
}

/** By folders that tell the partition where they do, else by partition, files with deleted rows each by itself. */
function groupsOf(scan: Scan): Group[] {
  const hive: ScanFile[] = []
  const other: ScanFile[] = []
  const partial: ScanFile[] = []
  for (const file of scan.files) {
    if (file.deletedRows !== null) partial.push(file)
    else (isHive(file, scan.partitionColumns) ? hive : other).push(file)
  }
  const groups: Group[] = hive.length === 0 ? [] : [{ files: hive, partition: fromFolder(scan), where: null }]
  for (const files of byPartition(other, scan.partitionColumns))
    groups.push({ files, partition: fromLog(files[0]), where: null })
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
  const select = `SELECT ${scanColumns(scan, partition)} FROM ${scanSource(scan, files)}`
  return where === null ? select : `${select} WHERE ${where}`
}

/** True when folders alone tell the partition, in characters that are never encoded. */
function isHive(file: ScanFile, partitionColumns: readonly PartitionColumn[]): boolean {
  const folders = file.path.split('/').slice(-1 - partitionColumns.length, -1)
  return (
    folders.length === partitionColumns.length &&
    partitionColumns.every((column, i) => {
      const value = partitionValue(file.partitionValues, column)
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

/** A list of row numbers, or a bit for each row up to the last deleted, whichever is the shorter text. */
function notDeleted(rows: Float64Array): string {
  const last = rows.at(-1)
  if (last === undefined) return 'true'
  const list = deletedList(rows)
  if (list !== null) return `${ROW_NUMBER} NOT IN (${list})`
  return `CASE WHEN ${ROW_NUMBER} > ${last} THEN true ELSE get_bit('${rowBits(rows)}'::BIT, ${ROW_NUMBER}::INTEGER) = 0 END`
}
