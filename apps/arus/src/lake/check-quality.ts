import type { AddFile, Snapshot } from '@arus/delta'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Lake } from './lake.ts'
import { checkName, type QualityCheck } from './quality-check.ts'
import { failingRowsSql } from './quality-sql.ts'
import { type StagedType, type StagedValue, stageRows } from './staged-rows.ts'
import { changesSince, follow, followedVersion } from './table-changes.ts'
import type { TableDefinition } from './table-definition.ts'
import type { TableName } from './table-names.ts'
import { TABLES } from './tables/index.ts'

/** What one check found. */
export interface QualityResult {
  readonly table: TableName
  readonly check: string
  readonly kind: QualityCheck['kind']
  readonly severity: QualityCheck['severity']
  readonly checkedRows: number
  readonly failingRows: number
  /** Up to five rows that fail, by their key. */
  readonly sampleKeys: readonly unknown[]
  readonly tableVersion: number
  readonly checkedAtMs: number
}

export interface CheckQualityOptions {
  readonly now?: () => number
  /** Told of a check that could not be evaluated; the others go on. */
  readonly onFault?: (error: unknown) => void
}

const SAMPLES_MAX = 5

/**
 * Checks what was written to each table since the last time, as its definition says, and appends what was found to `gold.quality_results`, with the versions
 * that were checked in the same commit. A check that fails changes nothing but this table. Returns what was found.
 *
 * Uniqueness is checked in the partitions that were written to, everything else in the files that were added.
 */
export async function checkQuality(lake: Lake, options: CheckQualityOptions = {}): Promise<QualityResult[]> {
  const now = options.now ?? Date.now
  const snapshot = await (await lake.table('gold.quality_results')).snapshot()
  const existing = new Set((await lake.describe()).map(({ name }) => name))
  const results: QualityResult[] = []
  const versions: Partial<Record<TableName, number>> = {}
  const connection = await lake.duckdb.connect()
  try {
    for (const definition of TABLES) {
      if (definition.checks.length === 0 || !existing.has(definition.name)) continue
      const since = followedVersion(snapshot, definition.name)
      const written = await writtenSince(lake, definition, since)
      if (written === null) continue
      versions[definition.name] = written.version
      if (written.files.length === 0) continue
      results.push(...(await checkTable({ lake, connection, definition, written, now, ...faultOf(options) })))
    }
    if (results.length > 0) await store(lake, connection, { snapshot, versions, results })
  } finally {
    connection.closeSync()
  }
  return results
}

interface Written {
  readonly version: number
  /** Files that were added. */
  readonly files: readonly AddFile[]
  /** Every file of the partitions they are in. */
  readonly partitionFiles: readonly AddFile[]
}

/** Null when nothing was committed since. */
async function writtenSince(lake: Lake, { name }: TableDefinition, since: number): Promise<Written | null> {
  const snapshot = await (await lake.table(name)).snapshot()
  if (snapshot.version <= since) return null
  const changes = await changesSince(lake, name, since, snapshot)
  const all = [...snapshot.files.values()]
  const files = changes === null ? all : changes.added
  const touched = new Set(files.map((file) => JSON.stringify(file.partitionValues)))
  return {
    version: snapshot.version,
    files,
    partitionFiles: all.filter((file) => touched.has(JSON.stringify(file.partitionValues))),
  }
}

interface TableCheck {
  readonly lake: Lake
  readonly connection: DuckDBConnection
  readonly definition: TableDefinition
  readonly written: Written
  readonly now: () => number
  readonly onFault?: (error: unknown) => void
}

async function checkTable({
  lake,
  connection,
  definition,
  written,
  now,
  onFault,
}: TableCheck): Promise<QualityResult[]> {
  const { name, checks } = definition
  const added = await lake.relationOfFiles(name, written.files)
  const partitions = await lake.relationOfFiles(name, written.partitionFiles)
  const results: QualityResult[] = []
  for (const check of checks) {
    try {
      const rows = check.kind === 'unique' ? partitions : added
      const other = check.kind === 'reference' ? (await lake.relation(check.to)).sql : ''
      const found = await evaluate(connection, { definition, check, rows, other })
      results.push({
        table: name,
        check: checkName(check),
        kind: check.kind,
        severity: check.severity,
        ...found,
        tableVersion: written.version,
        checkedAtMs: now(),
      })
    } catch (error) {
      onFault?.(error)
    }
  }
  return results
}

interface Evaluation {
  readonly definition: TableDefinition
  readonly check: QualityCheck
  readonly rows: string
  readonly other: string
}

async function evaluate(connection: DuckDBConnection, { definition, check, rows, other }: Evaluation) {
  const failing = failingRowsSql(definition, check, { rows, other })
  const reader = await connection.runAndReadAll(
    `SELECT (SELECT count(*) FROM ${rows})::DOUBLE, coalesce(sum(n), 0)::DOUBLE,
      '[' || coalesce(array_to_string(min(sample, ${SAMPLES_MAX}), ','), '') || ']' FROM (${failing})`,
  )
  const [[checkedRows, failingRows, samples] = []] = reader.getRows()
  return {
    checkedRows: Number(checkedRows),
    failingRows: Number(failingRows),
    sampleKeys: JSON.parse(String(samples)) as unknown[],
  }
}

interface Findings {
  readonly snapshot: Snapshot
  readonly versions: Readonly<Partial<Record<TableName, number>>>
  readonly results: readonly QualityResult[]
}

const LAYOUT: readonly (readonly [string, StagedType, (result: QualityResult) => StagedValue])[] = [
  ['table_name', 'text', ({ table }) => table],
  ['check_name', 'text', ({ check }) => check],
  ['kind', 'text', ({ kind }) => kind],
  ['severity', 'text', ({ severity }) => severity],
  ['checked_rows', 'integer', ({ checkedRows }) => checkedRows],
  ['failing_rows', 'integer', ({ failingRows }) => failingRows],
  ['sample_keys', 'text', ({ sampleKeys }) => JSON.stringify(sampleKeys)],
  ['table_version', 'integer', ({ tableVersion }) => tableVersion],
  ['checked_at', 'integer', ({ checkedAtMs }) => checkedAtMs],
]

/** Another process that checked the same versions first makes it a no-op. */
async function store(
  lake: Lake,
  connection: DuckDBConnection,
  { snapshot, versions, results }: Findings,
): Promise<void> {
  await stageRows(
    connection,
    'quality',
    LAYOUT.map(([name, type]) => [name, type]),
    LAYOUT.map(([, , value]) => results.map(value)),
  )
  await lake.write(
    'gold.quality_results',
    `SELECT * REPLACE (make_timestamp(checked_at * 1000)::TIMESTAMPTZ AS checked_at), make_timestamp(checked_at * 1000)::DATE AS checked_date FROM quality`,
    { mode: 'append', connection, transactions: follow(snapshot, versions), operation: 'CHECK' },
  )
}

function faultOf({ onFault }: CheckQualityOptions): { onFault?: (error: unknown) => void } {
  return onFault === undefined ? {} : { onFault }
}
