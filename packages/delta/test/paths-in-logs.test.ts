import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { DeltaTable } from '../src/index.ts'
import { commitPath } from '../src/log-names.ts'
import { idsOf, SHOP, shopRows, TestFolder } from './test-table.ts'

let engine: DuckDbParquetEngine
beforeAll(async () => {
  engine = await DuckDbParquetEngine.open()
})

/** Another spelling of where the file `name` of a table is. */
type Spelling = (name: string, root: string) => string

const SPELLINGS: readonly (readonly [string, Spelling])[] = [
  ['parts that say nothing', (name) => `././/${name}`],
  ['a path of this machine', (name, root) => join(root, name)],
  ['a URI of one slash', (name, root) => `file:${join(root, name)}`],
  ['a URI of three', (name, root) => pathToFileURL(join(root, name)).href],
]

test.each(SPELLINGS)('a file named by %s is read, and no vacuum removes it', async (_, spelled) => {
  using folder = new TestFolder()
  const options = folder.options(engine, 'a table')
  const table = await DeltaTable.create(options, { schema: SHOP })
  await table.append(shopRows(0, 3))
  const { location } = table.storage
  const commit = join(location, commitPath(1))
  const [{ path = '' } = {}] = (await table.snapshot()).files.values()
  renameSync(join(location, path), join(location, 'own.parquet'))
  writeFileSync(commit, readFileSync(commit, 'utf8').replaceAll(path, spelled('own.parquet', location)))
  const opened = await DeltaTable.open({ ...options, now: () => Date.now() + 1_000_000_000_000 })
  expect(await idsOf(opened)).toEqual([0, 1, 2])
  expect(await opened.vacuum()).toEqual([])
})
