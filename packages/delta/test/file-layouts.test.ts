import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine, sqlText } from '../src/duckdb/index.ts'
import { fromJulian } from '../src/duckdb/julian-calendar.ts'
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

describe('old days by the Julian calendar', () => {
  const spark2 = `, KV_METADATA {'org.apache.spark.version': '2.4.8'}`
  const fields = [
    column('d', 'date'),
    column('l', { type: 'array', elementType: 'timestamp', containsNull: true }),
  ]
  /** Days as Spark 2 counts them: 1582-10-04 is the day before 1582-10-15. */
  const files = [
    `SELECT unnest([DATE '1582-10-15', DATE '1582-10-14', DATE '0001-01-01' - 2, NULL]) AS d,
     [TIMESTAMPTZ '1582-10-14 23:59:59.999999+00', NULL] AS l`,
  ]

  test('are the days they were, in files of Spark before version 3', async () => {
    const table = await handmade({ fields, files, copy: spark2 })
    expect(await table.rows('SELECT d, l[1] AS t FROM {table} ORDER BY d')).toEqual([
      { d: '0001-01-01', t: '1582-10-04 23:59:59.999999+00' },
      { d: '1582-10-04', t: '1582-10-04 23:59:59.999999+00' },
      { d: '1582-10-15', t: '1582-10-04 23:59:59.999999+00' },
      { d: null, t: '1582-10-04 23:59:59.999999+00' },
    ])
    expect(await table.rows(`SELECT 1 AS n FROM {table} WHERE d = DATE '1582-10-04'`)).toHaveLength(1)
  })

  test.each([[''], [spark2.replace('2.4.8', '3.0.0')]])('are none in files of others: %s', async (copy) => {
    const table = await handmade({ fields, files, copy })
    const [row] = await table.rows('SELECT max(d) AS d, min(d) AS first, min(l[1]) AS t FROM {table}')
    expect(row).toEqual({ d: '1582-10-15', first: '0000-12-30', t: '1582-10-14 23:59:59.999999+00' })
  })

  test('keep year, month and day', async () => {
    /** Days since 1970 of a Julian date, by its Julian day number. */
    const julianDay = ([year, month, day]: readonly [number, number, number]) => {
      const early = month < 3 ? 1 : 0
      const y = year + 4800 - early
      const m = month + 12 * early - 3
      return day + Math.floor((153 * m + 2) / 5) + 365 * y + Math.floor(y / 4) - 32083 - 2440588
    }
    const date = fc.tuple(
      fc.integer({ min: 1, max: 1582 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 28 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(date, { minLength: 1 }), async (dates) => {
        const days = `unnest([${dates.map(julianDay)}]::INTEGER[])`
        const rows = await engine.rows(
          `SELECT ${fromJulian('d', 'DATE')} AS d, ${fromJulian('t', 'TIMESTAMPTZ')}::DATE AS t
           FROM (SELECT DATE '1970-01-01' + i AS d, (DATE '1970-01-01' + i)::TIMESTAMPTZ AS t FROM (SELECT ${days} AS i))`,
        )
        const texts = dates.map(
          ([y, m, d]) => `${String(y).padStart(4, '0')}-0${m}-${String(d).padStart(2, '0')}`,
        )
        expect(rows).toEqual(texts.map((text) => ({ d: text, t: text })))
      }),
      { numRuns: 30 },
    )
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

  test("are the log's where the file has the column too, as text that it does not mark", async () => {
    const table = await handmade({
      fields: [column('b', 'binary'), column('p', 'string')],
      files: [`SELECT '\\xFF'::BLOB AS b, encode('file') AS p`],
      partition: { column: 'p', values: ['é'] },
    })
    expect(await table.rows('SELECT hex(b) AS b, p FROM {table}')).toEqual([{ b: 'FF', p: 'é' }])
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
