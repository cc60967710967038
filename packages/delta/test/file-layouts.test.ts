import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine, sqlText } from '../src/duckdb/index.ts'
import { column, DeltaTable, type StructField } from '../src/index.ts'
import { TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

interface Handmade {
  readonly fields: readonly StructField[]
  /** Rows of each data file, as SELECT. */
  readonly files: readonly string[]
  readonly features?: readonly string[]
  readonly partition?: { readonly column: string; readonly values: readonly (string | null)[] }
  readonly copy?: string
}

/** A table as another engine leaves it: its log by hand, its files as DuckDB writes them unasked. */
async function handmade({
  fields,
  files,
  features = [],
  partition,
  copy = '',
}: Handmade): Promise<DeltaTable> {
  const options = folder.options(engine)
  const root = options.storage.root
  mkdirSync(join(root, '_delta_log'), { recursive: true })
  const protocol = {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: features,
    writerFeatures: features,
  }
  const metaData = {
    id: 'handmade',
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify({ type: 'struct', fields }),
    partitionColumns: partition ? [partition.column] : [],
    configuration: {},
  }
  const actions: object[] = [{ protocol }, { metaData }]
  for (const [i, select] of files.entries()) {
    const path = `${i}.parquet`
    await engine.rows(`COPY (${select}) TO ${sqlText(join(root, path))} (FORMAT parquet${copy})`)
    const partitionValues = partition ? { [partition.column]: partition.values[i] } : {}
    actions.push({ add: { path, partitionValues, size: 1, modificationTime: 1, dataChange: true } })
  }
  writeFileSync(
    join(root, '_delta_log', '00000000000000000000.json'),
    actions.map((action) => JSON.stringify(action)).join('\n'),
  )
  return DeltaTable.open(options)
}

describe('text that a file does not mark as text', () => {
  const texts = ['é', '\\x41', '', '😀 "q"']
  const bytes = `unnest([${texts.map((text) => `encode(${sqlText(text)})`).join(', ')}])`

  test('is text where the table has no binary column', async () => {
    const table = await handmade({ fields: [column('s', 'string')], files: [`SELECT ${bytes} AS s`] })
    const rows = await table.rows('SELECT s FROM {table}')
    expect(rows.map((row) => row.s)).toEqual(texts)
    expect(await table.rows(`SELECT s FROM {table} WHERE s = 'é'`)).toEqual([{ s: 'é' }])
  })

  test('is told from bytes where the table has binary columns, at any depth, file by file', async () => {
    const inner: StructField[] = [column('t', 'string'), column('b', 'binary')]
    const table = await handmade({
      fields: [
        column('s', 'string'),
        column('b', 'binary'),
        column('n', { type: 'array', elementType: { type: 'struct', fields: inner }, containsNull: true }),
        column('m', { type: 'map', keyType: 'string', valueType: 'binary', valueContainsNull: true }),
      ],
      files: [
        `SELECT encode('é') AS s, 'é\\x41' AS b, [{'t': encode('ü'), 'b': '\\x00'}, NULL] AS n, MAP {encode('k'): 'v'} AS m`,
        `SELECT 'é' AS s, '\\xFF\\x00'::BLOB AS b, [{'t': 'ü', 'b': '\\xFF'::BLOB}] AS n, MAP {'k': '\\xFE'::BLOB} AS m`,
      ],
    })
    const rows = await table.rows(
      `SELECT s, hex(b) AS b, n[1].t AS t, hex(n[1].b) AS nb, map_keys(m)[1] AS k, hex(map_values(m)[1]) AS v FROM {table} ORDER BY octet_length(b)`,
    )
    expect(rows).toEqual([
      { s: 'é', b: 'FF00', t: 'ü', nb: 'FF', k: 'k', v: 'FE' },
      { s: 'é', b: 'C3A95C783431', t: 'ü', nb: '5C783030', k: 'k', v: '76' },
    ])
  })
})

describe('variants split over columns of their own', () => {
  const rows = `SELECT 1::BIGINT AS id, {'a': 1, 'b': 'x', 'c': [1, 2]}::VARIANT AS v
    UNION ALL SELECT 2, 'text'::VARIANT UNION ALL SELECT 3, {'a': 'other type'}::VARIANT`
  const fields = [column('id', 'long'), column('v', 'variant')]
  const features = ['variantType', 'variantShredding-preview']

  test('are put together', async () => {
    const table = await handmade({
      fields,
      features,
      files: [rows],
      copy: `, SHREDDING {v: 'STRUCT(a INTEGER, b VARCHAR)'}`,
    })
    const [file = ''] = (await table.relation()).files
    const names = await engine.rows(`SELECT name FROM parquet_schema(${sqlText(file)})`)
    expect(names.map(({ name }) => name)).toContain('typed_value')
    expect(await table.rows('SELECT id, v::JSON::VARCHAR AS v FROM {table} ORDER BY id')).toEqual([
      { id: '1', v: '{"a":1,"b":"x","c":[1,2]}' },
      { id: '2', v: '"text"' },
      { id: '3', v: '{"a":"other type"}' },
    ])
  })

  test('are refused by name in a file that does not mark them', async () => {
    const split = `SELECT 1::BIGINT AS id, {'metadata': '\\x01'::BLOB, 'value': NULL::BLOB, 'typed_value': 1} AS v`
    const table = await handmade({ fields, features, files: [split] })
    await expect(table.relation()).rejects.toMatchObject({
      code: 'DELTA_FEATURE_UNSUPPORTED',
      message: expect.stringContaining('variantShredding'),
    })
  })
})

describe('partition values', () => {
  test("may hold the character that ends C's strings", async () => {
    const table = await handmade({
      fields: [column('id', 'long'), column('p', 'string')],
      files: ['SELECT 1::BIGINT AS id', 'SELECT 2::BIGINT AS id'],
      partition: { column: 'p', values: ['a\0b', '\0'] },
    })
    expect(await table.rows('SELECT * FROM {table} ORDER BY id')).toEqual([
      { id: '1', p: 'a\0b' },
      { id: '2', p: '\0' },
    ])
  })

  test.each([
    ['integer', null],
    ['date', null],
    ['string', '__HIVE_DEFAULT_PARTITION__'],
  ] as const)("Hive's name of the null partition as %s is %s", async (type, value) => {
    const table = await handmade({
      fields: [column('id', 'long'), column('p', type)],
      files: ['SELECT 1::BIGINT AS id'],
      partition: { column: 'p', values: ['__HIVE_DEFAULT_PARTITION__'] },
    })
    expect(await table.rows('SELECT p FROM {table}')).toEqual([{ p: value }])
  })
})
