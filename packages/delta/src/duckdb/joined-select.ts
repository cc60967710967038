import { partitionValue } from '../partition-values.ts'
import { SCAN_FILE, type Scan, type ScanFile } from '../scan.ts'
import { deletedList, rowBits } from './deleted-rows.ts'
import { ROW_NUMBER, scanColumns, scanSource } from './scan-source.ts'
import { sqlText } from './sql-types.ts'

/**
 * All files of a scan by one `read_parquet`, joined with a table of what the log says of each: its partition and its deleted
 * rows. Its text and the time to plan it grow with the number of files alone.
 */
export function joinedSelect(scan: Scan): string {
  const names = ['path', 'number', ...scan.partitionColumns.map((_, i) => `p${i}`), 'list', 'bits']
  const files = `__delta_files(${names.map((name) => `__delta_${name}`).join(', ')})`
  const rows = scan.files.map(
    (file, i) => `(${[sqlText(file.localPath), i, ...told(scan, file)].join(', ')})`,
  )
  const columns = scanColumns(scan, (column) => `__delta_p${scan.partitionColumns.indexOf(column)}`)
  const select = `WITH ${files} AS (VALUES ${rows.join(', ')}) SELECT ${columns} FROM ${scanSource(scan, scan.files)} JOIN __delta_files ON ${SCAN_FILE} = __delta_path`
  return scan.files.some((file) => file.deletedRows) ? `${select}${WITHOUT_DELETED}` : select
}

/** Few deleted rows are joined as well, many are bits beside their file. */
const WITHOUT_DELETED = ` ANTI JOIN (SELECT __delta_number AS __delta_file_number, unnest(CAST(__delta_list AS BIGINT[])) AS __delta_deleted FROM __delta_files) AS __delta_rows ON __delta_number = __delta_file_number AND ${ROW_NUMBER} = __delta_deleted WHERE CASE WHEN __delta_bits IS NULL OR ${ROW_NUMBER} >= bit_length(__delta_bits) THEN true ELSE get_bit(__delta_bits, ${ROW_NUMBER}::INTEGER) = 0 END`

/** Texts of the partition's values, and deleted rows as a list or as bits. */
function told({ partitionColumns }: Scan, { partitionValues, deletedRows }: ScanFile): string[] {
  const values = partitionColumns.map((column) => {
    const value = partitionValue(partitionValues, column)
    return value === null ? 'NULL::VARCHAR' : sqlText(value)
  })
  const list = deletedRows === null ? null : deletedList(deletedRows)
  const bits = deletedRows === null || list !== null ? null : rowBits(deletedRows)
  return [
    ...values,
    list === null ? 'NULL::VARCHAR' : `'[${list}]'`,
    bits === null ? 'NULL::BIT' : `'${bits}'::BIT`,
  ]
}
