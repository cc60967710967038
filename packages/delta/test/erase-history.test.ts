import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { DeltaTable } from '../src/index.ts'
import { idsOf, shopTable, TestFolder } from './test-table.ts'

const engine = new DuckDbParquetEngine(await (await DuckDBInstance.create(':memory:')).connect())

/** Names of files below the table whose bytes hold a text, dictionaries and statistics of uncompressed Parquet included. */
function holding(folder: TestFolder, text: string): string[] {
  const root = join(folder.root, 'table')
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text))
}

test('only the newest version is left: its rows, and no file or statistic of rows that were deleted', async () => {
  using folder = new TestFolder()
  const table = await shopTable(folder, engine, { properties: { 'delta.checkpointInterval': '2' } })
  await table.append("SELECT 99::BIGINT AS id, 'zzz-secret' AS name, 1.0 AS price, DATE '2024-03-01' AS day")
  // Written, never committed.
  await table.storage.publish(
    (
      await table.write(
        "SELECT 98::BIGINT AS id, 'zzz-secret' AS name, 1.0 AS price, DATE '2024-03-01' AS day",
      )
    ).map(({ path }) => path),
  )
  await table.delete('id = 99')
  expect(holding(folder, 'zzz-secret').length).toBeGreaterThan(2)
  const { version } = await table.snapshot()
  for (let repeat = 0; repeat < 2; repeat++) {
    await table.eraseHistory()
    expect(holding(folder, 'zzz-secret')).toEqual([])
    const again = await DeltaTable.open(folder.options(engine))
    expect((await again.snapshot()).version).toBe(version)
    expect(await idsOf(again)).toEqual(Array.from({ length: 30 }, (_, i) => i))
    await expect(again.at({ version: version - 1 })).rejects.toMatchObject({ code: 'DELTA_VERSION_UNKNOWN' })
  }
  await table.append("SELECT 30::BIGINT AS id, 'n30' AS name, 1.0 AS price, DATE '2024-03-01' AS day")
  expect(await idsOf(await DeltaTable.open(folder.options(engine)))).toHaveLength(31)
})

test('one that another process has open goes on from the checkpoint', async () => {
  using folder = new TestFolder()
  const table = await shopTable(folder, engine)
  const other = await DeltaTable.open(folder.options(engine))
  for (const first of [30, 40])
    await table.append(
      `SELECT i::BIGINT AS id, 'n' AS name, 1.0 AS price, DATE '2024-03-01' AS day FROM range(${first}, ${first + 10}) t(i)`,
    )
  await table.eraseHistory()
  expect(await idsOf(other)).toHaveLength(50)
})
