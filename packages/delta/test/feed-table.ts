import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChangeFile } from '../src/actions.ts'
import type { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { type Action, type CreateOptions, DeltaTable } from '../src/index.ts'
import { SHOP, type TestFolder } from './test-table.ts'

/** Properties of a table that keeps a change data feed. */
export const FEED: Readonly<Record<string, string>> = { 'delta.enableChangeDataFeed': 'true' }

/** An empty table of `SHOP` that keeps a change data feed. */
export async function feedTable(
  folder: TestFolder,
  engine: DuckDbParquetEngine,
  options: Partial<CreateOptions> = {},
): Promise<DeltaTable> {
  return DeltaTable.create(folder.options(engine), {
    schema: SHOP,
    ...options,
    properties: { ...FEED, ...options.properties },
  })
}

/** What the feed tells of some versions: ids by version and type. */
export async function feedOf(table: DeltaTable, from: number, to = from): Promise<Record<string, unknown>[]> {
  const feed = await table.changes({ from, to })
  return table.engine.rows(
    `SELECT _commit_version::INTEGER AS version, _change_type AS type, list(id::INTEGER ORDER BY id) AS ids FROM ${feed} GROUP BY ALL ORDER BY ALL`,
  )
}

/** The actions of a version's commit. */
export function actionsOf(table: DeltaTable, version: number): Action[] {
  const path = join(table.storage.location, '_delta_log', `${String(version).padStart(20, '0')}.json`)
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Action)
}

/** The change data files of a version. */
export function changeFilesOf(table: DeltaTable, version: number): ChangeFile[] {
  return actionsOf(table, version).flatMap(({ cdc }) => (cdc ? [cdc] : []))
}
