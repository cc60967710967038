import type { Scan, ScanFile } from '../scan.ts'
import { typesIn } from '../table-features.ts'
import { sqlText } from './sql-types.ts'

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

const WRITER = 'org.apache.spark.version'
const LEGACY = 'org.apache.spark.legacyDateTime'

/**
 * The files that count days before 1582-10-15 by the Julian calendar, as Spark before version 3 did, and later ones when
 * told to: they say so in their footers. Looks only at files without statistics, which Delta has written for as long as
 * Spark has been at version 3, and only for tables that have dates or instants.
 */
export async function julianFiles(rows: Rows, scan: Scan): Promise<Set<ScanFile>> {
  const hasDates = [...typesIn(scan.schema)].some((type) => type === 'date' || type === 'timestamp')
  const unknown = hasDates ? scan.files.filter((file) => !file.hasStatistics) : []
  if (unknown.length === 0) return new Set()
  const list = unknown.map((file) => sqlText(file.localPath)).join(', ')
  const found = await rows(
    `SELECT file_name, decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata([${list}]) WHERE decode(key) IN ('${WRITER}', '${LEGACY}')`,
  )
  const paths = new Set(
    found
      .filter(({ key, value }) => key === LEGACY || Number.parseInt(String(value), 10) < 3)
      .map((row) => row.file_name),
  )
  return new Set(unknown.filter((file) => paths.has(file.localPath)))
}
