import type { Lake } from '../lake/lake.ts'
import { TABLE_NAMES, type TableName } from '../lake/table-names.ts'
import type { QualityResult } from '../lake-schema.ts'
import type { QueryEngine } from './query-engine.ts'

const RESULTS = 'gold.quality_results'

/** The newest result of each check of a table; null when the lake has no table of results. */
export async function latestQuality(
  { lake, query }: { readonly lake: Lake; readonly query: QueryEngine },
  name: TableName,
): Promise<QualityResult[] | null> {
  if (!TABLE_NAMES.some((known) => String(known) === RESULTS)) return null
  if (!(await lake.describe()).some((info) => String(info.name) === RESULTS)) return null
  const { columns, rows } = await query.query(
    `SELECT check_name AS "check", kind, severity, checked_rows, failing_rows, sample_keys, table_version, checked_at
     FROM ${RESULTS} WHERE table_name = $1
     QUALIFY row_number() OVER (PARTITION BY check_name ORDER BY checked_at DESC) = 1 ORDER BY check_name`,
    { params: [name] },
  )
  return rows.map(
    (row) =>
      Object.fromEntries(columns.map((column, i) => [column.name, row[i]])) as unknown as QualityResult,
  )
}
