import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DuckDbParquetEngine, sqlText } from '../src/duckdb/index.ts'
import { column, type DataType, DeltaTable, type StructField } from '../src/index.ts'
import { idsOf, SHOP, shopRows, shopTable, TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

/** A table whose one file was written when its column had another type. */
async function widened(from: DataType, to: DataType, sql: string): Promise<DeltaTable> {
  const name = JSON.stringify([from, to]).replace(/\W/g, '')
  const table = await DeltaTable.create(folder.options(engine, name), {
    schema: { type: 'struct', fields: [column('v', from)] },
  })
  await table.append(`SELECT ${sql} AS v`)
  const changes = { metadata: { 'delta.typeChanges': [{ fromType: from, toType: to }] } }
  await rewriteMetadata(table, [{ ...column('v', to), ...changes }])
  return table
}

/** Writes a version with another schema, as an engine that widens or maps columns does. */
async function rewriteMetadata(
  table: DeltaTable,
  fields: readonly StructField[],
  configuration: Record<string, string> = {},
): Promise<void> {
  const { metadata, version } = await table.snapshot()
  const schemaString = JSON.stringify({ type: 'struct', fields })
  const outcome = await table.commit({
    add: [],
    metadata: { ...metadata, schemaString, configuration: { ...metadata.configuration, ...configuration } },
    readVersion: version,
    operation: 'CHANGE COLUMN',
  })
  expect(outcome.kind).toBe('committed')
}

describe('queries are planned with the rows that the log tells of', () => {
  async function planned(stats: string | undefined) {
    const table = await DeltaTable.create(folder.options(engine), {
      schema: { type: 'struct', fields: [column('v', 'integer')] },
    })
    await table.append('SELECT unnest([1, 2, 3])::INTEGER AS v')
    const snapshot = await table.snapshot()
    const files = [...snapshot.files].map(
      ([key, file]) => [key, { ...file, stats: stats ?? file.stats }] as const,
    )
    const { sql } = await table.relation({ snapshot: { ...snapshot, files: new Map(files) } as never })
    expect(await table.rows(`SELECT count(*)::INTEGER AS n FROM ${sql}`)).toEqual([{ n: 3 }])
    return /explicit_cardinality = \d+/.exec(sql)?.[0] ?? null
  }

  test.each([
    [undefined, 'explicit_cardinality = 3'],
    ['{"numRecords": 9}', 'explicit_cardinality = 9'],
    ['{"numRecords":0}', 'explicit_cardinality = 1'],
    ['{"numRecords":123456789012345678901234567890}', null],
    ['{}', null],
    ['', null],
  ])('%s: %s', async (stats, expected) => {
    expect(await planned(stats)).toBe(expected)
  })
})

describe('columns that were widened', () => {
  test.each<[DataType, DataType, string, string, string]>([
    ['integer', 'double', '1', '1.4', '1.0'],
    ['float', 'double', '0.1::FLOAT', '0.1', '0.1::FLOAT::DOUBLE'],
    [
      'date',
      'timestamp_ntz',
      `DATE '2024-09-09'`,
      `TIMESTAMP '2024-09-09 12:00:00'`,
      `TIMESTAMP '2024-09-09'`,
    ],
    ['decimal(4,2)', 'decimal(10,4)', '12.34', '12.3401', '12.34'],
    ['byte', 'long', '5::TINYINT', '261', '5'],
  ])('%s to %s: conditions compare with the value as it is now', async (from, to, value, other, same) => {
    const table = await widened(from, to, value)
    const matches = async (condition: string) =>
      (await table.rows(`SELECT 1 FROM {table} WHERE ${condition}`)).length
    expect(await matches(`v = ${other}`)).toBe(0)
    expect(await matches(`v = ${same}`)).toBe(1)
    expect((await matches(`v < ${other}`)) + (await matches(`v > ${other}`))).toBe(1)
    expect((await table.delete(`v = ${other}`)).kind).toBe('unchanged')
    expect((await table.delete(`v = ${same}`)).kind).toBe('committed')
  })

  test('files of single-precision values are not left out for their rounded bounds', async () => {
    const table = await widened('float', 'double', '3.4::FLOAT')
    const { files } = await table.relation({ where: [{ column: 'v', op: '=', value: Math.fround(3.4) }] })
    expect(files).toHaveLength(1)
  })
})

describe('mapped columns', () => {
  const mapped = (name: string, id: number, physical: string, type: DataType): StructField => ({
    ...column(name, type),
    metadata: { 'delta.columnMapping.id': id, 'delta.columnMapping.physicalName': physical },
  })
  const inner = (a: string, b: string, id: number): DataType => ({
    type: 'struct',
    fields: [mapped(a, id, `p${id}`, 'long'), mapped(b, id + 1, `p${id + 1}`, 'string')],
  })
  const columns = (id: string, a: string, b: string) => [
    mapped(id, 1, 'p1', 'long'),
    mapped('s', 2, 'p2', inner(a, b, 10)),
    mapped('l', 5, 'p5', { type: 'array', elementType: inner(a, b, 20), containsNull: true }),
    mapped('m', 6, 'p6', {
      type: 'map',
      keyType: 'string',
      valueType: inner(a, b, 30),
      valueContainsNull: true,
    }),
    mapped('part', 7, 'p7', 'string'),
  ]
  const before = columns('id', 'x', 'y')
  const after = columns('ident', 'y', 'x')
  test.each(['name', 'id'])(
    'by %s are written under their physical names, and read after a rename at any depth',
    async (mode) => {
      const options = folder.options(engine)
      const table = await DeltaTable.create(options, {
        schema: { type: 'struct', fields: before },
        partitionColumns: ['part'],
      })
      await useMapping(table, mode)
      const opened = await DeltaTable.open(options)
      const value = `{'x': 7, 'y': 'seven'}`
      await opened.append(`SELECT 1 AS id, ${value} AS s, [${value}, NULL] AS l, MAP {'k': ${value}} AS m, 'a b' AS part
      UNION ALL SELECT 2, NULL, NULL, NULL, NULL`)
      await rewriteMetadata(opened, after)
      expect(await opened.rows('SELECT * FROM {table} ORDER BY ident')).toEqual([
        {
          ident: '1',
          s: { y: '7', x: 'seven' },
          l: [{ y: '7', x: 'seven' }, null],
          m: [{ key: 'k', value: { y: '7', x: 'seven' } }],
          part: 'a b',
        },
        { ident: '2', s: null, l: null, m: null, part: null },
      ])
      const [file] = (await opened.relation()).files
      const names = await engine.rows(
        `SELECT name, field_id FROM parquet_schema(${sqlText(file ?? '')}) WHERE field_id IS NOT NULL ORDER BY field_id`,
      )
      expect(names.map((row) => [row.name, Number(row.field_id)])).toEqual(
        [1, 2, 5, 6, 10, 11, 20, 21, 30, 31].map((id) => [`p${id}`, id]),
      )
      const partitions = [...(await opened.snapshot()).files.values()].map((one) => one.partitionValues.p7)
      expect(partitions.sort()).toEqual(['a b', null])
    },
  )

  /** Mapping is for other engines to turn on: this library makes no such table. */
  async function useMapping(table: DeltaTable, mode: string): Promise<void> {
    const [commit = ''] = readdirSync(join(table.storage.location, '_delta_log'))
    const path = join(table.storage.location, '_delta_log', commit)
    const text = readFileSync(path, 'utf8')
      .replace('"minReaderVersion":1,"minWriterVersion":2', '"minReaderVersion":2,"minWriterVersion":5')
      .replace(
        '"configuration":{}',
        `"configuration":{"delta.columnMapping.mode":"${mode}","delta.columnMapping.maxColumnId":"7"}`,
      )
    writeFileSync(path, text)
  }
})

test('columns named as the engine names its own are read, and their rows changed', async () => {
  const table = await DeltaTable.create(folder.options(engine), {
    schema: {
      type: 'struct',
      fields: [
        column('id', 'long'),
        column('file_row_number', 'string'),
        column('filename', 'string'),
        column('c0', 'long'),
      ],
    },
  })
  await table.append(
    `SELECT i AS id, 'r' || i AS file_row_number, 'f' AS filename, -i AS c0 FROM range(5) t(i)`,
  )
  await table.delete('id = 2')
  await table.merge({
    source: 'SELECT 3 AS id',
    on: 'target.id = source.id',
    whenMatched: [{ update: { filename: `'g'` } }],
  })
  expect(await table.rows('SELECT * FROM {table} WHERE id > 0 ORDER BY id')).toEqual([
    { id: '1', file_row_number: 'r1', filename: 'f', c0: '-1' },
    { id: '3', file_row_number: 'r3', filename: 'g', c0: '-3' },
    { id: '4', file_row_number: 'r4', filename: 'f', c0: '-4' },
  ])
})

test('partition values of every type come back, special characters, empty and null included', async () => {
  const values: [string, DataType, string[]][] = [
    ['s', 'string', [`'a b/c%d=é"''😀'`, `'x'`, 'NULL']],
    ['d', 'date', [`DATE '1969-12-31'`, `DATE '9999-12-31'`, 'NULL']],
    [
      't',
      'timestamp',
      [`TIMESTAMPTZ '2024-03-01 00:00:00.123456+00'`, `TIMESTAMPTZ '1900-01-01 00:00:00+00'`],
    ],
    ['n', 'timestamp_ntz', [`TIMESTAMP '2024-03-01 10:00:00.5'`]],
    ['m', 'decimal(10,2)', ['-1.50', '0.00', 'NULL']],
    ['b', 'boolean', ['true', 'false', 'NULL']],
    ['f', 'double', ['-0.5', '1e300', 'NULL']],
    ['i', 'integer', ['-7', '0', 'NULL']],
  ]
  for (const [name, type, literals] of values) {
    const table = await DeltaTable.create(folder.options(engine, name), {
      schema: { type: 'struct', fields: [column('id', 'long'), column(name, type)] },
      partitionColumns: [name],
    })
    const select = literals
      .map((literal, i) => `SELECT ${i}::BIGINT AS id, ${literal} AS ${name}`)
      .join(' UNION ALL ')
    await table.append(select)
    const expected = await engine.rows(`SELECT * FROM (${select}) ORDER BY id`)
    expect(await table.rows('SELECT * FROM {table} ORDER BY id'), name).toEqual(expected)
  }
})

test('what is wrong with a file or a query has a code', async () => {
  const table = await shopTable(folder, engine)
  await expect(table.rows('SELECT nope FROM {table}')).rejects.toMatchObject({ code: 'DELTA_QUERY_INVALID' })
  const [first, second] = (await table.relation()).files
  const whole = readFileSync(first ?? '')
  writeFileSync(first ?? '', whole.subarray(0, whole.length / 2))
  await expect(table.rows()).rejects.toMatchObject({ code: 'DELTA_FILE_CORRUPT' })
  writeFileSync(first ?? '', 'x')
  await expect(table.rows()).rejects.toMatchObject({ code: 'DELTA_FILE_CORRUPT' })
  // A footer with a field of a type that Thrift does not have.
  writeFileSync(first ?? '', Buffer.from('504152311d000200000050415231', 'hex'))
  await expect(table.rows()).rejects.toMatchObject({ code: 'DELTA_FILE_CORRUPT' })
  writeFileSync(first ?? '', whole)
  expect(await idsOf(table)).toHaveLength(30)
  const { rmSync } = await import('node:fs')
  rmSync(second ?? '')
  await expect(table.rows()).rejects.toMatchObject({ code: 'DELTA_NOT_FOUND' })
  await expect(
    DeltaTable.create(folder.options(engine, 'twice'), {
      schema: { ...SHOP, fields: [...SHOP.fields, column('ID', 'long')] },
    }),
  ).rejects.toMatchObject({ code: 'DELTA_SCHEMA_INVALID' })
  await expect(table.append(`${shopRows(0, 1)} WHERE nope`)).rejects.toMatchObject({
    code: 'DELTA_SCHEMA_MISMATCH',
  })
})
