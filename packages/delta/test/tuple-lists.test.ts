import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DuckDbParquetEngine, sqlText } from '../src/duckdb/index.ts'
import { column, type DataType, DeltaTable, type StructField } from '../src/index.ts'
import { TestFolder } from './test-table.ts'

/** Written by parquet-mr: `odd_layout_two_levels…` of `conformance/generate/unusual_tables.py`, whose rows Spark reads so. */
const FILES = join(import.meta.dirname, 'two-level-lists')

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

/** A table of one column `x` and files by name, or by SELECT. */
async function tableOf(type: DataType, files: readonly string[], metadata: object = {}): Promise<DeltaTable> {
  const options = folder.options(engine)
  const root = options.storage.root
  mkdirSync(join(root, '_delta_log'), { recursive: true })
  const isMapped = 'delta.columnMapping.id' in metadata
  const fields: StructField[] = [{ ...column('x', type), metadata: { ...metadata } }]
  const actions: object[] = [
    { protocol: { minReaderVersion: isMapped ? 2 : 1, minWriterVersion: isMapped ? 5 : 2 } },
    {
      metaData: {
        id: 'two-levels',
        format: { provider: 'parquet', options: {} },
        schemaString: JSON.stringify({ type: 'struct', fields }),
        partitionColumns: [],
        configuration: isMapped ? { 'delta.columnMapping.mode': 'name' } : {},
      },
    },
  ]
  for (const [i, file] of files.entries()) {
    const path = join(root, `${i}.parquet`)
    if (file.endsWith('.parquet')) copyFileSync(join(FILES, file), path)
    else await engine.rows(`COPY (${file}) TO ${sqlText(path)} (FORMAT parquet)`)
    const { size } = statSync(path)
    const add = { path: `${i}.parquet`, partitionValues: {}, size, modificationTime: 1, dataChange: true }
    actions.push({ add })
  }
  const log = actions.map((action) => JSON.stringify(action)).join('\n')
  writeFileSync(join(root, '_delta_log', '00000000000000000000.json'), log)
  return DeltaTable.open(options)
}

function arrayOf(elementType: DataType): DataType {
  return { type: 'array', elementType, containsNull: true }
}

function structOf(...fields: StructField[]): DataType {
  return { type: 'struct', fields }
}

const ONE_FIELD = arrayOf(structOf(column('a', 'integer')))
const all = async (table: DeltaTable) => (await table.rows('SELECT x FROM {table}')).map(({ x }) => x)

test.each(['groups-of-one-field.parquet', 'tuple.parquet'])(
  'a repeated group of one field, named as the rules say, is the element: %s',
  async (file) => {
    const table = await tableOf(ONE_FIELD, [file])
    expect(await all(table)).toEqual([[{ a: 1 }, { a: null }], null])
    expect(await table.rows('SELECT count(*) AS n FROM {table} WHERE x[1].a = 1')).toEqual([{ n: '1' }])
  },
)

test('files of the old and of the new layout are read together', async () => {
  const table = await tableOf(ONE_FIELD, [
    "SELECT [{'a': 7}, NULL] AS x",
    'tuple.parquet',
    'groups-of-one-field.parquet',
  ])
  expect(await all(table)).toEqual(
    expect.arrayContaining([
      [{ a: 7 }, null],
      [{ a: 1 }, { a: null }],
      [{ a: 1 }, { a: null }],
    ]),
  )
  expect(await table.rows('SELECT count(*) AS n FROM {table}')).toEqual([{ n: '5' }])
})

test('fields that the struct gained later are null, wherever they stand', async () => {
  const table = await tableOf(arrayOf(structOf(column('b', 'long'), column('a', 'string'))), [
    'group-wider.parquet',
  ])
  expect(await all(table)).toEqual([
    [
      { b: null, a: 'y' },
      { b: null, a: null },
    ],
    [],
    null,
  ])
})

test('such lists in such lists, in a struct', async () => {
  const inner = arrayOf(structOf(column('a', 'integer')))
  const table = await tableOf(structOf(column('l', arrayOf(structOf(column('inner', inner))))), [
    'group-deep.parquet',
  ])
  expect(await all(table)).toEqual([
    { l: [{ inner: [{ a: 1 }, { a: 2 }] }, { inner: [] }, { inner: null }] },
    { l: null },
    null,
  ])
})

test('a repeated field that is no group is the element', async () => {
  expect(await all(await tableOf(arrayOf('integer'), ['numbers.parquet']))).toEqual([[1, 2], [], null])
})

test('a group around an element is one, whatever its name, where the table declares it so', async () => {
  expect(await all(await tableOf(ONE_FIELD, ['three-levels.parquet']))).toEqual([[{ a: 1 }, null], null])
})

test('a table that was mapped by name later finds the field by its physical name', async () => {
  const mapped = (id: number, physicalName: string) => ({
    'delta.columnMapping.id': id,
    'delta.columnMapping.physicalName': physicalName,
  })
  const renamed = { ...column('renamed', 'integer'), metadata: mapped(2, 'a') }
  const table = await tableOf(arrayOf(structOf(renamed)), ['tuple.parquet'], mapped(1, 'x'))
  expect(await all(table)).toEqual([[{ renamed: 1 }, { renamed: null }], null])
})

test('the table is written on, its old files rewritten', async () => {
  const table = await tableOf(ONE_FIELD, ['tuple.parquet', 'groups-of-one-field.parquet'])
  await table.optimize()
  expect(await all(await DeltaTable.open(folder.options(engine)))).toEqual(
    expect.arrayContaining([[{ a: 1 }, { a: null }], null]),
  )
})
