import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
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

/** The feed after version `from` up to `to`, applied in order to the rows at `from`, gives those at `to`, duplicates and all. */
export async function expectReplayed(table: DeltaTable, from: number, to: number): Promise<void> {
  const rows = new Map<string, number>()
  const add = (row: Record<string, unknown>, count: number) => {
    const key = JSON.stringify([row.id, row.name, row.price, row.day])
    rows.set(key, (rows.get(key) ?? 0) + count)
    if (rows.get(key) === 0) rows.delete(key)
  }
  for (const row of await table.rows(undefined, { snapshot: await table.at({ version: from }) })) add(row, 1)
  if (to > from) {
    const feed = await table.changes({ from: from + 1, to })
    const changes = await table.engine.rows(`SELECT * FROM ${feed} ORDER BY _commit_version`)
    for (const row of changes)
      add(row, ['insert', 'update_postimage'].includes(String(row._change_type)) ? 1 : -1)
  }
  for (const row of await table.rows(undefined, { snapshot: await table.at({ version: to }) })) add(row, -1)
  expect([...rows], `versions ${from} to ${to}`).toEqual([])
}
