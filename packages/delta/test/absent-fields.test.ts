import { afterEach, beforeEach, expect, test } from 'vitest'
import { DuckDbParquetEngine } from '../src/duckdb/index.ts'
import type { DataType, StructField } from '../src/index.ts'
import { changeSchema, mappedField, mappedTable } from './mapped-table.ts'
import { TestFolder } from './test-table.ts'

let folder: TestFolder
let engine: DuckDbParquetEngine
beforeEach(async () => {
  folder = new TestFolder()
  engine = await DuckDbParquetEngine.open()
})
afterEach(() => folder[Symbol.dispose]())

const struct = (...fields: StructField[]): DataType => ({ type: 'struct', fields })
/** Structs at the top, in a struct, a list, and a map, whose only field is that of an id. */
const columns = (name: string, id: number, type: DataType): StructField[] => [
  mappedField('id', 1, 'long'),
  mappedField('s', 2, struct(mappedField(name, id, type))),
  mappedField('o', 3, struct(mappedField('i', 4, struct(mappedField(name, id + 1, type))))),
  mappedField('l', 5, {
    type: 'array',
    elementType: struct(mappedField(name, id + 2, type)),
    containsNull: true,
  }),
  mappedField('m', 6, {
    type: 'map',
    keyType: 'string',
    valueType: struct(mappedField(name, id + 3, type)),
    valueContainsNull: true,
  }),
  mappedField('part', 7, 'string'),
]
const row = (id: number, value: string) =>
  `SELECT ${id}::BIGINT AS id, ${value} AS s, {i: ${value}} AS o, [${value}, NULL] AS l, MAP {'k': ${value}} AS m, 'p' AS part`

test.each(['name', 'id'])(
  'structs none of whose fields a file has are structs of nulls, and null where they are null; mapped by %s',
  async (mode) => {
    const table = await mappedTable(folder, engine, {
      mode,
      schema: {
        type: 'struct',
        fields: columns('old', 10, { type: 'array', elementType: 'binary', containsNull: true }),
      },
      partitionColumns: ['part'],
    })
    await table.append(`${row(1, `{old: ['x'::BLOB]}`)} UNION ALL ${row(2, `{old: NULL::BLOB[]}`)}`)
    await table.append(
      `SELECT 3::BIGINT AS id, NULL AS s, {i: NULL::STRUCT(old BLOB[])} AS o, []::STRUCT(old BLOB[])[] AS l, NULL AS m, 'q' AS part`,
    )
    await changeSchema(table, columns('fresh', 20, 'integer'))
    await table.append(row(4, '{fresh: 7}'))
    const of = (value: unknown) => ({
      s: value,
      o: { i: value },
      l: [value, null],
      m: [{ key: 'k', value }],
      part: 'p',
    })
    const expected = [
      { id: '1', ...of({ fresh: null }) },
      { id: '2', ...of({ fresh: null }) },
      { id: '3', s: null, o: { i: null }, l: [], m: null, part: 'q' },
      { id: '4', ...of({ fresh: 7 }) },
    ]
    expect(await table.rows('SELECT * FROM {table} ORDER BY id')).toEqual(expected)
    expect(
      await table.rows('SELECT id FROM {table} WHERE s.fresh IS NULL AND s IS NOT NULL ORDER BY id'),
    ).toEqual([{ id: '1' }, { id: '2' }])
    await table.update({ set: { s: '{fresh: 8}' }, where: 'id = 2' })
    await table.optimize()
    expect(await table.rows('SELECT * FROM {table} ORDER BY id')).toEqual(
      expected.map((one) => (one.id === '2' ? { ...one, s: { fresh: 8 } } : one)),
    )
  },
)
