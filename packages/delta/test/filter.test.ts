import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import { fileFilter } from '../src/filter.ts'
import { column, DeltaTable, type Filter } from '../src/index.ts'
import { shopTable, TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

const filesFor = async (table: DeltaTable, where: Filter[]) => (await table.relation({ where })).files.length

test('files are chosen by partition and by statistics', async () => {
  const table = await shopTable(folder, engine, { partitionColumns: ['day'] })
  expect(await filesFor(table, [])).toBe(9)
  expect(await filesFor(table, [{ column: 'day', op: '=', value: '2024-03-02' }])).toBe(3)
  expect(await filesFor(table, [{ column: 'DAY', op: '>', value: new Date('2024-03-02') }])).toBe(6)
  expect(
    await filesFor(table, [
      { column: 'id', op: '<', value: 10 },
      { column: 'day', op: 'in', values: ['2024-03-01', '2024-03-03'] },
    ]),
  ).toBe(2)
  expect(await filesFor(table, [{ column: 'id', op: '>=', value: 30n }])).toBe(0)
  expect(await filesFor(table, [{ column: 'name', op: 'is null' }])).toBe(0)
  expect(await filesFor(table, [{ column: 'name', op: '=', value: 'zzz' }])).toBe(0)
  await expect(filesFor(table, [{ column: 'no', op: 'is null' }])).rejects.toMatchObject({
    code: 'DELTA_VALUE_INVALID',
  })
  await expect(filesFor(table, [{ column: 'id', op: '=', value: 'x' }])).rejects.toMatchObject({
    code: 'DELTA_VALUE_INVALID',
  })
})

/** One column of each type, three rows a file; what a filter leaves out holds no row that satisfies it. */
test('no file is left out that holds a matching row, whatever the type', async () => {
  const types = [
    ['l', 'long', ['-9007199254740993', '9223372036854775807', '5', '-1']],
    ['i', 'integer', ['-5', '0', '7']],
    ['d', 'double', ['-1.5', '1e300', '0.1', `'NaN'::DOUBLE`]],
    ['m', 'decimal(20,3)', ['12345678901234567.123', '-0.001', '12345678901234567.124']],
    ['s', 'string', [`''`, `'é'`, `'a' || repeat('z', 100)`, `'😀'`, `'\uffee'`]],
    ['b', 'boolean', ['true', 'false']],
    [
      't',
      'timestamp',
      [`TIMESTAMPTZ '2024-01-01 00:00:00.123456+00'`, `TIMESTAMPTZ '1901-05-05 00:00:00+00'`],
    ],
    ['n', 'timestamp_ntz', [`TIMESTAMP '2024-01-01 00:00:00.999999'`, `TIMESTAMP '2024-01-01 00:00:01'`]],
    ['y', 'date', [`DATE '0004-02-29'`, `DATE '2024-02-29'`, `DATE '9999-12-31'`]],
  ] as const
  for (const [name, type, values] of types) {
    const table = await DeltaTable.create(folder.options(engine, name), {
      schema: { type: 'struct', fields: [column(name, type)] },
    })
    const value = fc.constantFrom(...values, 'NULL')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(value, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
        async (files) => {
          await table.delete()
          const cast = (sql: string) => `CAST(${sql} AS ${sqlOf(type)})`
          for (const file of files)
            await table.append(file.map((sql) => `SELECT ${cast(sql)} AS ${name}`).join(' UNION ALL '))
          const snapshot = await table.snapshot()
          for (const wanted of values.filter((one) => !one.includes('NaN'))) {
            const [row] = await engine.rows(`SELECT ${cast(wanted)} AS v`)
            for (const op of ['=', '<', '<=', '>', '>='] as const) {
              const keep = fileFilter(snapshot, [{ column: name, op, value: textOf(row?.v) }])
              for (const [, left] of [...snapshot.files].filter(([, file]) => !keep(file))) {
                const local = table.storage.localPath(left.path)
                const [found] = await engine.rows(
                  `SELECT count(*) AS n FROM read_parquet('${local}') WHERE ${name} ${op} ${cast(wanted)}`,
                )
                expect(found?.n, `${name} ${op} ${wanted} in ${left.stats}`).toBe('0')
              }
            }
          }
        },
      ),
      { numRuns: 4 },
    )
  }
})

function sqlOf(type: string): string {
  const names: Record<string, string> = {
    long: 'BIGINT',
    string: 'VARCHAR',
    timestamp: 'TIMESTAMPTZ',
    timestamp_ntz: 'TIMESTAMP',
  }
  return names[type] ?? type
}

function textOf(value: unknown): string | number | boolean {
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value)
}
