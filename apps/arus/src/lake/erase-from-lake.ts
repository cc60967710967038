import type { EventLog } from '@arus/event-log'
import { allNames, type ShopperNames } from '../events/shopper-names.ts'
import type { OnProgress } from '../progress.ts'
import type { LakeTopics } from './bronze-routes.ts'
import type { Compute } from './computation.ts'
import { type FoundShopper, findShopper } from './find-shopper.ts'
import type { Lake } from './lake.ts'
import { startLakeWriter } from './lake-writer.ts'
import { refine } from './refine.ts'
import { removeShopper } from './remove-shopper.ts'
import type { TableName } from './table-names.ts'

/** What erasing in the lake works with. */
export interface LakeErasureParts {
  readonly lake: Lake
  readonly log: EventLog
  readonly topics: LakeTopics
  /** Where silver and gold are computed. Default DuckDB in this process. */
  readonly compute?: Compute | undefined
  /** Brings what is in the log into bronze. Default: by the embedded writer. */
  readonly copyLog?: () => Promise<void>
}

/** Tables whose rows, or whose statistics in the Delta log, may name a shopper. */
const NAMING_TABLES: readonly TableName[] = [
  'bronze.events',
  'bronze.recommendations',
  'bronze.rejected_events',
  'silver.events',
  'silver.interactions',
  'gold.user_stats',
  'gold.quality_results',
]

/** What the lake knows of a person, once all of the log is in it. */
export async function findInLake(
  { lake, log, topics }: LakeErasureParts,
  shopper: string,
): Promise<FoundShopper> {
  await startLakeWriter({ log, lake, topics }).stop()
  return findShopper(lake, shopper)
}

/**
 * Erases a person from every table, and every version of these tables but the newest: rows are rewritten without theirs,
 * what rests on them is refined, then older files and log entries go. Nothing else may write the lake meanwhile. What was
 * read from the log before it was erased there is in bronze before rows are looked for, so none comes after. Can be
 * repeated after it was cut short.
 */
export async function eraseFromLake(
  {
    lake,
    log,
    topics,
    compute,
    copyLog = () => startLakeWriter({ log, lake, topics }).stop(),
  }: LakeErasureParts,
  names: ShopperNames,
  { onProgress = () => {} }: { readonly onProgress?: OnProgress } = {},
): Promise<void> {
  const steps = NAMING_TABLES.length + 2
  let done = 0
  const step = (name: string) =>
    onProgress({ step: `Erasing from the lake: ${name}`, done: done++, total: steps, unit: 'steps' })
  step('bronze')
  await copyLog()
  await removeShopper(lake, allNames(names))
  step('silver and gold')
  await refine(lake, { compute })
  await removeSamples(lake)
  for (const table of NAMING_TABLES) {
    step(`older versions of ${table}`)
    await (await lake.table(table)).eraseHistory()
  }
  onProgress({ step: 'Erased from the lake', done: steps, total: steps, unit: 'steps' })
}

/** Rows that failed a check are kept as samples by their key, which may be a shopper, a session, an id of an event. */
async function removeSamples(lake: Lake): Promise<void> {
  const { sql, version } = await lake.relation('gold.quality_results')
  const tables = NAMING_TABLES.map((table) => `'${table}'`).join(', ')
  const isNaming = `table_name IN (${tables}) AND sample_keys <> '[]'`
  const connection = await lake.duckdb.connect()
  try {
    const dates = await connection.runAndReadAll(
      `SELECT DISTINCT checked_date::VARCHAR FROM ${sql} WHERE ${isNaming}`,
    )
    const partitions = dates.getRows().map(([date]) => ({ checked_date: String(date) }))
    if (partitions.length === 0) return
    const among = partitions.map(({ checked_date }) => `DATE '${checked_date}'`).join(', ')
    await lake.write(
      'gold.quality_results',
      `SELECT * REPLACE (CASE WHEN ${isNaming} THEN '[]' ELSE sample_keys END AS sample_keys)
        FROM ${sql} WHERE checked_date IN (${among})`,
      { mode: 'overwrite', partitions, readVersion: version, operation: 'DELETE', connection },
    )
  } finally {
    connection.closeSync()
  }
}
