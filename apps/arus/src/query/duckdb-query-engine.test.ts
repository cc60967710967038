import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DuckDb, openDuckDb } from '../lake/duckdb.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { openDuckDbQueryEngine } from './duckdb-query-engine.ts'
import type { QueryEngine } from './query-engine.ts'

let folder = ''
let duckdb: DuckDb
let lake: Lake
let engine: QueryEngine
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'arus-query-'))
  writeFileSync(join(folder, 'secret.csv'), 'secret\n42\n')
  duckdb = await openDuckDb({ temporaryFolder: join(folder, 'tmp'), memoryBytes: 256 * 1024 * 1024 })
  lake = openLake({ root: join(folder, 'lake'), duckdb })
  await lake.write(
    'bronze.categories',
    `SELECT i::VARCHAR AS id, 'name ' || i AS category_name FROM range(5) t(i)`,
    { mode: 'append' },
  )
  engine = await openDuckDbQueryEngine({ lake, lakeRoot: join(folder, 'lake') })
})
afterAll(async () => {
  await engine.close()
  await lake.close()
  await duckdb.close()
  rmSync(folder, { recursive: true })
})

test('answers by table name, with parameters, types and the version it saw', async () => {
  const answer = await engine.query(
    'SELECT id, category_name FROM bronze.categories WHERE id > $1 ORDER BY id',
    { params: ['2'] },
  )
  expect(answer).toMatchObject({
    columns: [
      { name: 'id', type: 'VARCHAR' },
      { name: 'category_name', type: 'VARCHAR' },
    ],
    rows: [
      ['3', 'name 3'],
      ['4', 'name 4'],
    ],
    truncated: false,
    table_versions: { 'bronze.categories': 1 },
  })
})

test('sees a newer version once it is committed', async () => {
  const count = async () => (await engine.query('SELECT count(*) FROM bronze.rejected_products')).rows[0]?.[0]
  expect(await count()).toBe(0)
  await lake.write(
    'bronze.rejected_products',
    `SELECT 1 AS line_number, 'r' AS reason, 'd' AS detail, 'x' AS raw, 'a' AS asin, now() AS rejected_at`,
    { mode: 'append' },
  )
  expect(await count()).toBe(1)
})

test('values come as JSON: instants in UTC, big integers as text, no NaN', async () => {
  const { rows } = await engine.query(
    `SELECT TIMESTAMPTZ '2026-01-02 03:04:05.678+07', DATE '2026-01-02', 9007199254740993, 7::BIGINT, 'NaN'::DOUBLE, 1.25::DECIMAL(5,2), [1, 2], NULL`,
  )
  expect(rows).toEqual([
    ['2026-01-01T20:04:05.678Z', '2026-01-02', '9007199254740993', 7, null, 1.25, [1, 2], null],
  ])
})

test('a long answer is cut, and says so', async () => {
  const answer = await engine.query('SELECT * FROM range(1000)', { rowLimit: 10 })
  expect(answer.rows).toHaveLength(10)
  expect(answer.truncated).toBe(true)
})

test('a runaway query is stopped at its deadline, and the engine goes on', async () => {
  const startedAt = performance.now()
  const runaway = engine.query('SELECT count(*) FROM range(100000000) a, range(100000000) b', {
    timeoutMs: 200,
  })
  await expect(runaway).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  expect((await engine.query('SELECT 1')).rows).toEqual([[1]])
})

test('an unknown table is named with those there are', async () => {
  await expect(engine.query('SELECT * FROM silver.nothing')).rejects.toMatchObject({
    code: 'TABLE_UNKNOWN',
    message: expect.stringContaining('silver.events'),
  })
})

test.each([
  [`SELECT * FROM '{folder}/secret.csv'`],
  [`SELECT * FROM read_text('/etc/passwd')`],
  [`COPY (SELECT 1) TO '{folder}/out.csv'`],
  [`SET enable_external_access = true`],
  [`INSERT INTO bronze.categories VALUES ('1', 'x')`],
  [`SELECT 1; SELECT 2`],
  [``],
  [`SELEC 1`],
])('refuses %s', async (sql) => {
  await expect(engine.query(sql.replaceAll('{folder}', folder))).rejects.toMatchObject({
    code: 'QUERY_INVALID',
  })
})
