import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import * as tar from 'tar'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../../src/duckdb/index.ts'
import { column, DeltaTable, LocalStorage } from '../../src/index.ts'
import { readCases } from './conformance-case.ts'
import { judge, type RefusedList } from './judge.ts'
import { TIME_LIMIT_MS } from './run-folder.ts'
import { TableReader } from './table-reader.ts'

const NOTHING_REFUSED: RefusedList = { features: {}, tables: {} }
const BROKEN =
  'export {}; process.on("message", ({ one }) => one.name === "hangs" ? setInterval(() => {}, 1e6) : process.abort())'

let root = ''
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'arus-conformance-test-'))
  mkdirSync(join(root, 'tables'))
  writeFileSync(join(root, 'broken.mjs'), BROKEN)
  await archive('right', { delta: 1, expected: [1] })
  await archive('wrong', { delta: 1, expected: [2] })
  await archive('counted', { delta: 1 })
  await archive('several/a', { delta: 1 })
  await archive('versions', { delta: 1, expected: [1], layout: 'latest/table_content' })
  await archive('empty', { delta: 0, expected: [] })
  await archive('new-feature', {
    delta: 1,
    protocol: {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['future'],
      writerFeatures: ['future'],
    },
  })
  writeFileSync(join(root, 'tables', 'torn.tar.gz'), 'not an archive')
  writeFileSync(
    join(root, 'index.json'),
    JSON.stringify([
      { name: 'counted', deltalake_python: { rows: 3 } },
      { name: 'gone', archive: 'tables/gone.tar.gz' },
      {},
      null,
    ]),
  )
})
afterAll(() => rmSync(root, { recursive: true }))

interface Content {
  readonly delta: number
  readonly expected?: readonly number[]
  readonly layout?: string
  readonly protocol?: object
}

/** An archive with a table of the ids 1 to `delta`, and expected rows beside it. */
async function archive(path: string, { delta, expected, layout = '', protocol }: Content): Promise<void> {
  const [name = '', below = ''] = path.split('/')
  const table = join(root, name, 'delta', below)
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`SET TimeZone = 'UTC'`)
  const options = { storage: new LocalStorage(table), engine: new DuckDbParquetEngine(connection) }
  const opened = await DeltaTable.create(options, {
    schema: { type: 'struct', fields: [column('id', 'long')] },
  })
  const add = await opened.write(`SELECT i AS id FROM range(1, ${delta + 1}) t(i)`)
  await opened.commit({ add, operation: 'WRITE' })
  if (protocol)
    writeFileSync(join(table, '_delta_log', '00000000000000000002.json'), JSON.stringify({ protocol }))
  if (expected) {
    const folder = join(root, name, 'expected', layout)
    mkdirSync(folder, { recursive: true })
    const rows = `SELECT unnest([${expected.join(', ')}]::BIGINT[]) AS id`
    if (expected.length > 0) await connection.run(`COPY (${rows}) TO '${join(folder, 'part-0.parquet')}'`)
  }
  connection.closeSync()
  await tar.create({ file: join(root, 'tables', `${name}.tar.gz`), cwd: root, gzip: true }, [name])
}

async function verdicts(refused: RefusedList = NOTHING_REFUSED) {
  using reader = new TableReader({ timeLimitMs: TIME_LIMIT_MS })
  const found: Record<string, string> = {}
  for (const one of readCases(root)) {
    const { name, kind, detail } = judge(one, await reader.read(one), refused)
    found[name] = `${kind}: ${detail}`
  }
  return found
}

describe('a folder of tables', () => {
  test('is judged archive by archive, also those the index does not list', async () => {
    expect(await verdicts()).toEqual({
      right: 'passed: version 1, 1 rows, as expected',
      wrong: expect.stringMatching(/^failed: missing 1 rows, such as {"id":"2"}; not expected 1 rows/),
      counted: 'failed: 1 rows, but another reader finds 3',
      several: 'passed: a: version 1, 1 rows, and nothing to compare them with',
      versions: 'passed: version 1, 1 rows, as expected',
      empty: 'passed: version 1, 0 rows, as expected',
      'new-feature': expect.stringMatching(
        /^passed: refused, and nothing says which rows it has: DELTA_FEATURE/,
      ),
      torn: expect.stringMatching(/^skipped: the archive cannot be unpacked/),
      gone: expect.stringMatching(/^skipped: there is no/),
    })
  })

  test('may hold tables that are refused for a listed feature, and none that are read in spite of the list', async () => {
    const found = await verdicts({ features: { future: 'it has not come' }, tables: { right: 'no reason' } })
    expect(found['new-feature']).toBe('passed: refused: future: it has not come')
    expect(found.right).toBe('failed: was read, though refused.ts lists right')
  })
})

describe('a table that', () => {
  const one = (name: string) => ({
    name,
    archive: join(root, 'broken.mjs'),
    expectedFolder: '',
    rowCount: null,
  })

  test('hangs or kills its process fails alone', async () => {
    using reader = new TableReader({ timeLimitMs: 1_000, process: join(root, 'broken.mjs') })
    expect(await reader.read(one('hangs'))).toEqual({ kind: 'died', reason: 'not done after 1 s' })
    expect(await reader.read(one('crashes'))).toMatchObject({
      kind: 'died',
      reason: expect.stringContaining('SIGABRT'),
    })
    expect(await reader.read(one('hangs'))).toMatchObject({ kind: 'died' })
  })
})
