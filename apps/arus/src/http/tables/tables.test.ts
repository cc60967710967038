import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readSettings } from '../../config/settings.ts'
import { TABLE_NAMES } from '../../lake/table-names.ts'
import { openTablePages } from '../../lake/table-pages.ts'
import { openParts } from '../../wiring.ts'
import { openShop } from '../test-api.ts'

const WRITES = 5
let shop: Awaited<ReturnType<typeof openShop>>
let close: () => Promise<void>
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'arus-tables-'))
  const parts = openParts(readSettings({ ARUS_DATA_DIR: folder, ARUS_SQL_PROCESSES: '1' }, folder))
  const lake = await parts.lake()
  for (let i = 0; i < WRITES; i++) {
    await lake.write(
      'bronze.categories',
      `SELECT (${i} * 10 + i)::VARCHAR AS id, 'name' AS category_name FROM range(10) t(i)`,
      { mode: 'append' },
    )
  }
  shop = await openShop({
    sql: await parts.sql(),
    tables: openTablePages({
      lake,
      quality: async (name) =>
        name === 'bronze.categories'
          ? [
              {
                check: 'id is there',
                kind: 'not_null',
                severity: 'error',
                checked_rows: 50,
                failing_rows: 2,
                sample_keys: null,
                table_version: 5,
                checked_at: '2026-01-01T00:00:00.000Z',
              },
            ]
          : null,
      now: Date.now,
    }),
  })
  close = async () => {
    await shop.app.close()
    await parts.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
afterAll(() => close())

const get = async (url: string) => (await shop.app.inject(url)).json()

test('lists every table, also those nothing was written to', async () => {
  const { tables } = await get('/tables')
  expect(tables.map(({ name }: { name: string }) => name).sort()).toEqual([...TABLE_NAMES].sort())
  const byName = new Map(tables.map((table: { name: string }) => [table.name, table]))
  expect(byName.get('bronze.categories')).toMatchObject({
    version: WRITES,
    rows: 10 * WRITES,
    files: WRITES,
    health: { status: 'ok', small_files: WRITES, small_file_fraction: 1, reasons: [] },
  })
  expect(byName.get('gold.daily_funnel')).toMatchObject({ version: null, rows: 0, health: null })
})

test('one table with columns and their meaning, protocol, health and quality', async () => {
  const table = await get('/tables/bronze.categories')
  expect(table).toMatchObject({
    name: 'bronze.categories',
    version: WRITES,
    partition_columns: [],
    protocol: { min_reader_version: 1, min_writer_version: 2 },
    properties: { 'delta.checkpointInterval': '100' },
    health: { status: 'attention', reasons: ['2 rows fail the check "id is there"'] },
    quality: [{ check: 'id is there', failing_rows: 2 }],
  })
  expect(table.columns[0]).toMatchObject({ name: 'id', type: 'string', meaning: expect.any(String) })
})

test('history and files page to their end, each once, files at one version', async () => {
  const versions: number[] = []
  const paths: string[] = []
  for (let url: string | null = '/tables/bronze.categories/history?limit=2'; url !== null; ) {
    const page: { versions: { version: number }[]; next_cursor: string | null } = await get(url)
    versions.push(...page.versions.map(({ version }) => version))
    url = page.next_cursor && `/tables/bronze.categories/history?limit=2&cursor=${page.next_cursor}`
  }
  expect(versions).toEqual([5, 4, 3, 2, 1, 0])
  for (let url: string | null = '/tables/bronze.categories/files?limit=2'; url !== null; ) {
    const page: { version: number; files: { path: string; rows: number }[]; next_cursor: string | null } =
      await get(url)
    expect(page.version).toBe(WRITES)
    paths.push(...page.files.map(({ path }) => path))
    url = page.next_cursor && `/tables/bronze.categories/files?limit=2&cursor=${page.next_cursor}`
  }
  expect(new Set(paths).size).toBe(WRITES)
})

test('a file has its rows and the least and greatest values', async () => {
  const { files } = await get('/tables/bronze.categories/files?limit=1')
  expect(files[0]).toMatchObject({
    rows: 10,
    size_bytes: expect.any(Number),
    partition: {},
    stats: { min: { category_name: 'name' }, max: { category_name: 'name' }, null_count: { id: 0 } },
  })
})

test('a preview is some of the rows', async () => {
  const preview = await get('/tables/bronze.categories/preview?limit=3')
  expect(preview).toMatchObject({
    row_count: 3,
    truncated: true,
    table_versions: { 'bronze.categories': WRITES },
  })
  expect(preview.rows).toHaveLength(3)
})

test('unknown tables and cursors of another list are problem documents', async () => {
  for (const page of ['', '/history', '/files', '/preview']) {
    expect(await get(`/tables/silver.nothing${page}`)).toMatchObject({ status: 404, code: 'TABLE_UNKNOWN' })
  }
  const { next_cursor } = await get('/tables/bronze.categories/history?limit=1')
  expect(await get(`/tables/bronze.categories/files?cursor=${next_cursor}`)).toMatchObject({
    status: 400,
    code: 'REQUEST_INVALID',
  })
  expect(await get('/tables/bronze.categories/files?limit=0')).toMatchObject({ code: 'REQUEST_INVALID' })
})
