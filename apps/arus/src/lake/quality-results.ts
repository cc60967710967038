import type { QualityReport } from '../api-schema/lake.ts'
import type { QualityResult } from './check-quality.ts'
import type { Lake } from './lake.ts'
import type { QualityCheck } from './quality-check.ts'
import type { TableName } from './table-names.ts'
import { definitionOf } from './tables/index.ts'

/** Results are kept this long. */
const RESULTS_KEPT_MS = 30 * 86_400_000

/** What each check found when it last looked, of one table or of all: in the order of tables and their names. */
export async function lastQualityResults(lake: Lake, table?: TableName): Promise<QualityResult[]> {
  const { sql } = await lake.relation('gold.quality_results')
  const connection = await lake.duckdb.connect()
  try {
    const reader = await connection.runAndReadAll(
      `SELECT table_name, check_name, kind, severity, checked_rows::DOUBLE, failing_rows::DOUBLE, sample_keys,
          table_version::DOUBLE, epoch_ms(checked_at)::DOUBLE
        FROM ${sql} WHERE ${table === undefined ? 'true' : `table_name = '${definitionOf(table).name}'`}
        QUALIFY row_number() OVER (PARTITION BY table_name, check_name ORDER BY checked_at DESC, table_version DESC) = 1
        ORDER BY table_name, check_name`,
    )
    return reader.getRows().map((row) => ({
      table: String(row[0]) as TableName,
      check: String(row[1]),
      kind: String(row[2]) as QualityCheck['kind'],
      severity: String(row[3]) as QualityCheck['severity'],
      checkedRows: Number(row[4]),
      failingRows: Number(row[5]),
      sampleKeys: JSON.parse(String(row[6])) as unknown[],
      tableVersion: Number(row[7]),
      checkedAtMs: Number(row[8]),
    }))
  } finally {
    connection.closeSync()
  }
}

/** The same of one table, as the API shows it. */
export async function qualityOf(lake: Lake, table: TableName): Promise<QualityReport[]> {
  return (await lastQualityResults(lake, table)).map((result) => ({
    check: result.check,
    kind: result.kind,
    severity: result.severity,
    checked_rows: result.checkedRows,
    failing_rows: result.failingRows,
    sample_keys: result.failingRows === 0 ? null : JSON.stringify(result.sampleKeys),
    table_version: result.tableVersion,
    checked_at: new Date(result.checkedAtMs).toISOString(),
  }))
}

/** How many checks that must hold failed when they last looked, by table. */
export async function failingChecks(lake: Lake): Promise<ReadonlyMap<TableName, number>> {
  const counts = new Map<TableName, number>()
  for (const { table, severity, failingRows } of await lastQualityResults(lake)) {
    if (severity === 'error' && failingRows > 0) counts.set(table, (counts.get(table) ?? 0) + 1)
  }
  return counts
}

/** Removes results of days past. */
export async function forgetOldResults(lake: Lake, nowMs: number): Promise<void> {
  const oldest = new Date(nowMs - RESULTS_KEPT_MS).toISOString().slice(0, 10)
  const { files } = await (await lake.table('gold.quality_results')).snapshot()
  const old = [...files.values()].filter(
    ({ partitionValues }) => (partitionValues.checked_date ?? oldest) < oldest,
  )
  if (old.length === 0) return
  const rows = await lake.relationOfFiles('gold.quality_results', old)
  await lake.write('gold.quality_results', `FROM ${rows} WHERE false`, {
    mode: 'overwrite',
    files: old,
    operation: 'DELETE',
  })
}
